import { readFileSync } from "node:fs";
import type { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { mustBeAllowed, mustBeAllowedByPath, type Viewer } from "../../db/contract/access.ts";
import { ACCESS, type Role, type Route } from "../../db/contract/access-matrix.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { ServiceDeps } from "../../ingest/deps.ts";
import { createHttp } from "../../ingest/http.ts";
import { fakeEdge } from "../support/fake-edge.ts";

const rows = Object.keys(ACCESS).toSorted();
const edge = routesOf(fakeEdge().app);
const ingest = routesOf(
  createHttp({ history: null, metrics: {} } as unknown as ServiceDeps & { history: null }),
);
const document = JSON.parse(
  readFileSync(new URL("../../edge/public/openapi.json", import.meta.url), "utf8"),
) as { paths: Record<string, Record<string, unknown>> };

describe("the matrix", () => {
  test("has a row for every route of both sides, and no other", () => {
    expect([...new Set([...edge, ...ingest])].toSorted()).toEqual(rows);
  });

  test("is of what is documented, but for the metrics of ingest", () => {
    const documented = Object.entries(document.paths).flatMap(([path, its]) =>
      Object.keys(its).map(
        (method) => `${method.toUpperCase()} ${path.replaceAll("{", ":").replaceAll("}", "")}`,
      ),
    );
    expect([...documented, "GET /metrics"].toSorted()).toEqual(rows);
  });

  test("has every write on both sides", () => {
    const writes = rows.filter((route) => !route.startsWith("GET "));
    expect(writes.filter((route) => !edge.includes(route) || !ingest.includes(route))).toEqual([]);
  });
});

describe("who may", () => {
  const alice = "alice" as UserId;
  const as = (...roles: Role[]): Viewer => ({ user_id: alice, roles });

  test("the most that any of the roles may", () => {
    const route = "DELETE /users/:user_id/watchhistory";
    expect(() => mustBeAllowed(as("support", "user"), route, "bob" as UserId)).toThrow("somebody else's");
    expect(() => mustBeAllowed(as("user", "service"), route, "bob" as UserId)).not.toThrow();
  });

  test("somebody else's session is refused in the very words of one that is not there", () => {
    const refusal = expect.objectContaining({
      code: "not_found",
      message: "there is no such session, or it has ended",
    });
    expect(() => mustBeAllowed(as("user"), "GET /api/v1/sessions/:session_id", "bob" as UserId)).toThrow(
      refusal,
    );
  });

  test("a path that names no user is bad input for whoever may not be told more", () => {
    const route: Route = "GET /users/:user_id/watchhistory";
    const refusal = expect.objectContaining({ code: "invalid_input" });
    for (const role of ["user", "service"] as const) {
      expect(() => mustBeAllowedByPath(as(role), route, "{alice}")).toThrow(refusal);
    }
  });
});

function routesOf(app: Pick<Hono, "routes">): string[] {
  const all = app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`);
  return [...new Set(all)];
}
