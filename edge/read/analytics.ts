import { ContentPath } from "../../db/contract/contents.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** How a content is watched. */
export function analytics(deps: EdgeDeps): EdgeHandler {
  const check: Parameters<typeof forwarded>[1] = (c) => {
    checked(ContentPath, c.req.param());
  };
  return forwarded(deps, check, "the analytics are");
}
