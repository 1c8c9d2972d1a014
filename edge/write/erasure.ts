import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { forwarded } from "../forwarded.ts";

/** There is more to look through than with any other write. What takes longer is done all the same. */
const DEADLINE_MS = 10_000;

/** Erases a user. */
export function erasure(deps: EdgeDeps): EdgeHandler {
  return forwarded(deps, (c) => void checked(UserPath, c.req.param()), "the user is", DEADLINE_MS);
}
