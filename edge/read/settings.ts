import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** Whether a history is paused. */
export function settings(deps: EdgeDeps): EdgeHandler {
  const check: Parameters<typeof forwarded>[1] = (c) => {
    checked(UserPath, c.req.param());
  };
  return forwarded(deps, check, "the settings are");
}
