import { readFileSync } from "node:fs";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ACCESS, ROLES, type Role, type Route } from "../../db/contract/access-matrix.ts";
import { createApp } from "../../edge/app.ts";
import { edgeDeps } from "../../edge/build.ts";
import { edgeConfig } from "../../edge/env.ts";
import { publicFiles } from "../../edge/files.ts";
import { DOOR_TOKEN } from "../support/door.ts";
import { createWorld, type World } from "../support/world.ts";

/** Every route of the OpenAPI document, by everybody, at the edge and when ingest is asked directly. */

const ISSUER = "https://login.example.com";
const AUDIENCE = "playhead";
const SECRET = "a secret that only tests know";
/** The last one is an edge whose ingest lets everybody in: what is refused there the edge has refused itself. */
const SIDES = ["the edge", "ingest", "the edge alone"] as const;
type Side = (typeof SIDES)[number];
/** Writes to a session, and parties: whose it is stands in what is stored, and the edge does not look. */
const ONLY_INGEST_KNOWS = /^((PATCH|DELETE) \/api\/v1\/sessions|\w+ \/parties)\//;
/** The files of the edge, which are the same for everybody. */
const AT_THE_EDGE_ALONE = /\.json$/;

type Operation = { requestBody?: { content: Record<string, { example?: unknown; examples?: object }> } };
const document = JSON.parse(
  readFileSync(new URL("../../edge/public/openapi.json", import.meta.url), "utf8"),
) as { paths: Record<string, Record<string, Operation>> };
const operations = Object.entries(document.paths).flatMap(([path, its]) =>
  Object.entries(its).map(([name, { requestBody }]) => {
    const method = name.toUpperCase();
    const route = `${method} ${path.replaceAll("{", ":").replaceAll("}", "")}` as Route;
    return { route, method, path, example: exampleOf(requestBody) };
  }),
);

let world: World;
let asking: Record<Side, (path: string, init: RequestInit) => Promise<Response>>;
beforeAll(async () => {
  const issued = { AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE };
  world = await createWorld(issued);
  const alone = edgeThatMustRefuseItself({ ...issued, UPSTASH_REDIS_REST_URL: world.door.url });
  asking = {
    "the edge": (path, init) => fetch(world.edgeUrl + path, init),
    ingest: (path, init) => fetch(world.ingestUrl + path, init),
    "the edge alone": async (path, init) => await alone.request(path, init),
  };
});
afterAll(() => world.stop());

let users = 0;
const newUser = () => `u${++users}`;

type Whose = "own" | "others";
type Outcome = "allowed" | 401 | 403 | 404;
type Cell = { route: Route; role: Role; whose: Whose };

/** What the matrix says, worked out here once more. */
function expected({ route, role, whose }: Cell): Outcome {
  const right = ACCESS[route];
  if (right === "no token") return "allowed";
  const may: readonly Role[] = "all" in right ? right.all : right[whose];
  if (may.includes(role)) return "allowed";
  const instead = "instead" in right ? right.instead : undefined;
  if (instead === "own") return "allowed";
  return instead === "not_found" ? 404 : 403;
}

/**
 * What cells say that must not be wrong, whatever the matrix says. Nothing here is taken from it.
 */
const LITERALLY: [Route, Role, Whose, Outcome][] = [
  ["GET /users/:user_id/watchhistory", "user", "own", "allowed"],
  ["GET /users/:user_id/watchhistory", "user", "others", 403],
  ["GET /users/:user_id/watchhistory", "support", "others", "allowed"],
  ["GET /users/:user_id/changes", "user", "others", 403],
  ["GET /profiles/:user_id/history", "user", "others", 403],
  ["POST /profiles/:user_id/history", "user", "others", 403],
  ["POST /profiles/:user_id/history", "support", "others", 403],
  ["DELETE /users/:user_id/watchhistory", "user", "others", 403],
  ["DELETE /users/:user_id/watchhistory", "support", "others", 403],
  ["DELETE /users/:user_id/watchhistory", "service", "others", "allowed"],
  ["PUT /users/:user_id/watchhistory/settings", "support", "others", 403],
  ["POST /api/v1/sessions", "user", "others", 403],
  ["POST /api/v1/sessions", "support", "others", 403],
  ["GET /api/v1/sessions/:session_id", "user", "others", 404],
  ["GET /api/v1/sessions/:session_id", "support", "others", "allowed"],
  ["PATCH /api/v1/sessions/:session_id/position", "user", "others", 404],
  ["PATCH /api/v1/sessions/:session_id/position", "support", "others", 404],
  ["DELETE /api/v1/sessions/:session_id", "user", "others", 404],
  ["DELETE /api/v1/sessions/:session_id", "service", "others", "allowed"],
  ["GET /profiles/:user_id", "user", "others", 403],
  ["PUT /profiles/:user_id", "user", "others", 403],
  ["PUT /profiles/:user_id", "support", "others", 403],
  ["POST /profiles/:user_id/watchlist", "user", "others", 403],
  ["POST /profiles/:user_id/ratings", "support", "others", 403],
  ["GET /profiles/:user_id/export", "user", "others", 403],
  ["GET /profiles/:user_id/export", "support", "others", 403],
  ["GET /profiles/:user_id/export", "user", "own", "allowed"],
  ["DELETE /profiles/:user_id", "user", "others", 403],
  ["DELETE /profiles/:user_id", "support", "others", 403],
  ["DELETE /profiles/:user_id", "service", "others", "allowed"],
  ["POST /parties", "user", "own", "allowed"],
  ["GET /parties/:party_id", "user", "others", 404],
  ["GET /parties/:party_id", "support", "others", "allowed"],
  ["GET /parties/:party_id/messages", "user", "others", 404],
  ["GET /parties/:party_id/logs", "user", "others", 404],
  ["PATCH /parties/:party_id", "user", "others", 403],
  ["PATCH /parties/:party_id", "support", "others", 403],
  ["DELETE /parties/:party_id", "user", "others", 403],
  ["DELETE /parties/:party_id", "support", "others", 403],
  ["DELETE /parties/:party_id", "service", "others", "allowed"],
  ["PUT /contents/:content_id", "user", "own", 403],
  ["PUT /contents/:content_id", "support", "own", 403],
  ["POST /contents", "user", "own", 403],
  ["DELETE /contents/:content_id", "support", "own", 403],
  ["PUT /contents/:content_id", "service", "own", "allowed"],
  ["GET /contents/:content_id/analytics", "user", "own", 403],
  ["GET /contents/:content_id/ratings", "user", "own", "allowed"],
];

test("what must not be wrong is not", () => {
  const wrong = LITERALLY.filter(
    ([route, role, whose, outcome]) => expected({ route, role, whose }) !== outcome,
  );
  expect(wrong).toEqual([]);
});

describe.each(SIDES)("at %s", (side) => {
  const here = operations.filter(({ path }) => side !== "ingest" || !AT_THE_EDGE_ALONE.test(path));

  test("every role may what the matrix says, with its own data and with others'", async () => {
    const cells = here.flatMap((operation) =>
      ROLES.flatMap((role) => (["own", "others"] as const).map((whose) => ({ ...operation, role, whose }))),
    );
    const wrong: string[] = [];
    await inTurns(cells, async (cell) => {
      const viewer = newUser();
      const owner = cell.whose === "own" ? viewer : newUser();
      const { status } = await ask(side, cell, owner, await token(viewer, [cell.role]));
      const wanted =
        side === "the edge alone" && ONLY_INGEST_KNOWS.test(cell.route) ? "allowed" : expected(cell);
      const seen = wanted === "allowed" && isAllowed(cell.route, status) ? "allowed" : status;
      if (seen !== wanted) wrong.push(`${cell.route} ${cell.role} ${cell.whose}: ${seen}, not ${wanted}`);
    });
    expect(wrong).toEqual([]);
    expect(cells.length).toBeGreaterThan(150);
  }, 120_000);

  test("nobody may without a valid token", async () => {
    const wrong: string[] = [];
    await inTurns(here, async (operation) => {
      for (const [what, authorization] of Object.entries(await invalid("alice"))) {
        const { status } = await ask(side, operation, "alice", authorization);
        const wanted = ACCESS[operation.route] === "no token" ? 200 : 401;
        if (status !== wanted) wrong.push(`${operation.route} with ${what}: ${status}, not ${wanted}`);
      }
    });
    expect(wrong).toEqual([]);
  }, 120_000);
});

/** A session of somebody else must not even seem to be there; of other things one may learn that there are none. */
function isAllowed(route: Route, status: number): boolean {
  const right = ACCESS[route];
  const hides = typeof right === "object" && "instead" in right && right.instead === "not_found";
  return status !== 401 && status !== 403 && status !== 429 && status < 500 && !(hides && status === 404);
}

async function ask(
  side: Side,
  { method, path, route, example }: (typeof operations)[number],
  owner: string,
  authorization: string | null,
): Promise<Response> {
  const ofSession = path.startsWith("/api/v1/sessions/");
  const named = path
    .replace("{session_id}", ofSession ? await sessionOf(owner) : owner)
    .replace("{user_id}", owner)
    .replace("{content_id}", "c1")
    .replace("{party_id}", path.includes("{party_id}") ? await partyOf(owner, method) : "")
    .concat(route.endsWith("/facets") ? "?by=sport" : "");
  const body = route === "POST /api/v1/sessions" ? { ...(example as object), user_id: owner } : example;
  const response = await asking[side](named, {
    method,
    headers: {
      ...(authorization === null ? {} : { authorization }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  return response;
}

function edgeThatMustRefuseItself(env: Record<string, string>) {
  const own = { UPSTASH_REDIS_REST_TOKEN: DOOR_TOKEN, INGEST_URL: "http://127.0.0.1:1", AUTH_SECRET: SECRET };
  const config = edgeConfig({ ...own, ...env, RATE_LIMIT_PER_MINUTE: "0" });
  return createApp({
    ...edgeDeps(config, publicFiles),
    ingest: async () => ({ status: 200, headers: new Headers(), body: new ArrayBuffer(0) }),
    pipe: async () => new Response(null),
  });
}

/** A live session of somebody. */
async function sessionOf(user: string): Promise<string> {
  const response = await fetch(`${world.ingestUrl}/api/v1/sessions`, {
    method: "POST",
    headers: { authorization: await token("house", ["admin"]), "content-type": "application/json" },
    body: JSON.stringify({ user_id: user, content_id: "c1", device_id: "d" }),
  });
  const { id } = (await response.json()) as { id: string };
  return id;
}

/** A party of somebody: one that must not be seen, or one that is seen and must not be changed. */
async function partyOf(user: string, method: string): Promise<string> {
  const visibility = method === "GET" ? "invite" : "public";
  const response = await fetch(`${world.ingestUrl}/parties`, {
    method: "POST",
    headers: { authorization: await token(user, ["user"]), "content-type": "application/json" },
    body: JSON.stringify({ title: "T", content_id: "c1", start_time: Date.now() + 3_600_000, visibility }),
  });
  const { party_id } = (await response.json()) as { party_id: string };
  return party_id;
}

const right = { iss: ISSUER, aud: AUDIENCE };

async function token(user: string, roles: string[]): Promise<string> {
  return await bearer(new SignJWT({ ...right, roles }).setSubject(user).setExpirationTime("1h"));
}

/** What opens nothing, by what is wrong with it. All of it says that it is an admin's. */
async function invalid(user: string): Promise<Record<string, string | null>> {
  const its = { ...right, sub: user, roles: ["admin"] };
  const without = (name: keyof typeof its) =>
    Object.fromEntries(Object.entries(its).filter(([claim]) => claim !== name));
  const good = () => new SignJWT(its).setExpirationTime("1h");
  const whole = await bearer(good());
  const [head, payload, signature = ""] = whole.split(".");
  return {
    "no token": null,
    "an expired one": await bearer(new SignJWT(its).setExpirationTime("-1s")),
    "a wrong signature": await bearer(good(), "another secret than that of this house"),
    "a changed signature": `${head}.${payload}.${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`,
    "no signature": `${head}.${payload}.`,
    "alg none": `Bearer ${new UnsecuredJWT(its).setExpirationTime("1h").encode()}`,
    "alg none, signed": `Bearer ${new UnsecuredJWT(its).setExpirationTime("1h").encode()}${signature}`,
    "another algorithm": await bearer(good(), SECRET, "HS512"),
    "another issuer": await bearer(
      new SignJWT({ ...its, iss: "https://else.example.com" }).setExpirationTime("1h"),
    ),
    "no issuer": await bearer(new SignJWT(without("iss")).setExpirationTime("1h")),
    "another audience": await bearer(new SignJWT({ ...its, aud: "somebody" }).setExpirationTime("1h")),
    "no expiry": await bearer(new SignJWT(its)),
    "no subject": await bearer(new SignJWT(without("sub")).setExpirationTime("1h")),
    "a subject that is no user": await bearer(
      new SignJWT({ ...its, sub: "{alice}" }).setExpirationTime("1h"),
    ),
    garbage: "Bearer garbage",
    "another scheme": `Basic ${btoa("alice:secret")}`,
  };
}

async function bearer(unsigned: SignJWT, secret = SECRET, alg = "HS256"): Promise<string> {
  return `Bearer ${await unsigned.setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))}`;
}

/** A few at once, for there are many. */
async function inTurns<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

function exampleOf(body: Operation["requestBody"]): unknown {
  if (body === undefined) return undefined;
  const { example, examples } = body.content["application/json"] ?? {};
  return example ?? (Object.values(examples ?? {})[0] as { value?: unknown } | undefined)?.value ?? {};
}
