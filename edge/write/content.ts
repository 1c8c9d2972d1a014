import { ContentPath } from "../../db/contract/contents.ts";
import { checked } from "../../db/contract/refusals.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** One content of the catalogue, read, written or taken out. */
export function content(deps: EdgeDeps): EdgeHandler {
  return forwarded(deps, (c) => void checked(ContentPath, c.req.param()), "the catalogue is");
}
