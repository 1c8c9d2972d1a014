import { mustRead } from "../../db/contract/access.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** Whether a history is paused. */
export function settings(deps: EdgeDeps): EdgeHandler {
  const check: Parameters<typeof forwarded>[1] = (c) => {
    mustRead(c.var.viewer, checked(UserPath, c.req.param()).user_id);
  };
  return forwarded(deps, check, "the settings are");
}
