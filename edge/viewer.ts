import { bearerToken } from "../db/contract/access.ts";
import type { EdgeDeps, EdgeMiddleware } from "./deps.ts";

/** Who asks. Nothing behind this runs without a valid token. */
export function viewer({ verifyToken }: EdgeDeps): EdgeMiddleware {
  return async function viewer(c, next) {
    c.set("viewer", await verifyToken(bearerToken(c.req.header("authorization"))));
    await next();
  };
}
