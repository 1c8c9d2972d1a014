import { bearerToken, mustBeAllowedByPath } from "../db/contract/access.ts";
import type { Route } from "../db/contract/access-matrix.ts";
import type { EdgeDeps, EdgeMiddleware } from "./deps.ts";

/** Who asks, and whether the matrix lets them, as far as method and path tell. Nothing behind this runs otherwise. */
export function viewer({ verifyToken }: EdgeDeps, route: Route): EdgeMiddleware {
  return async function viewer(c, next) {
    const viewer = await verifyToken(bearerToken(c.req.header("authorization")));
    c.set("viewer", viewer);
    mustBeAllowedByPath(viewer, route, c.req.param("user_id"));
    await next();
  };
}
