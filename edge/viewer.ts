import type { MiddlewareHandler } from "hono";
import { bearerToken } from "../db/contract/access.ts";
import type { EdgeDeps, EdgeEnv } from "./deps.ts";

/** Who asks. Nothing behind this runs without a valid token. */
export function viewer({ verifyToken }: EdgeDeps): MiddlewareHandler<EdgeEnv> {
  return async function viewer(c, next) {
    c.set("viewer", await verifyToken(bearerToken(c.req.header("authorization"))));
    await next();
  };
}
