import type { Hono } from "hono";
import { bearerToken, mustBeAllowedByPath } from "../db/contract/access.ts";
import { ACCESS, type Route } from "../db/contract/access-matrix.ts";
import type { IngestEnv, IngestHandler, ServiceDeps } from "./deps.ts";

/**
 * Registers handlers under a row of the matrix, behind whatever that row asks for: there is no other way in. Who asks is
 * checked here again, from the same token, by the same code as at the edge. Writes are limited, reads are by the edge.
 */
export function routesOn(
  http: Hono<IngestEnv>,
  { verifyToken, limit }: Pick<ServiceDeps, "verifyToken" | "limit">,
): (route: Route, handler: IngestHandler) => void {
  return function on(route, handler) {
    const [method = "", path = ""] = route.split(" ");
    if (ACCESS[route] === "no token") return void http.on(method, [path], handler);
    http.on(
      method,
      [path],
      async (c, next) => {
        const viewer = await verifyToken(bearerToken(c.req.header("authorization")));
        c.set("viewer", viewer);
        mustBeAllowedByPath(viewer, route, c.req.param("user_id"));
        if (method !== "GET") await limit(c);
        await next();
      },
      handler,
    );
  };
}
