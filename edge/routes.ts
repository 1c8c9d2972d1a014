import type { Hono } from "hono";
import { ACCESS, type Route } from "../db/contract/access-matrix.ts";
import type { EdgeDeps, EdgeEnv, EdgeHandler, EdgeMiddleware } from "./deps.ts";
import { viewer } from "./viewer.ts";

/**
 * Registers handlers under a row of the matrix, behind whatever that row asks for: there is no other way in. Reads are
 * limited here, writes by ingest.
 */
export function routesOn(app: Hono<EdgeEnv>, deps: EdgeDeps): (route: Route, ...its: EdgeHandler[]) => void {
  const limited: EdgeMiddleware = async (c, next) => {
    deps.limit(c);
    await next();
  };
  return function on(route, ...handlers) {
    const [method = "", path = ""] = route.split(" ");
    const guards = ACCESS[route] === "no token" ? [] : [viewer(deps, route)];
    if (guards.length > 0 && method === "GET") guards.push(limited);
    app.on(method, [path], ...guards, ...handlers);
  };
}
