import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { requestCounter } from "../../db/redis/rate-limit.ts";
import { createApp } from "../../edge/app.ts";
import { edgeDeps } from "../../edge/build.ts";
import type { EdgeDeps } from "../../edge/deps.ts";
import { edgeConfig } from "../../edge/env.ts";
import { publicFiles } from "../../edge/files.ts";
import worker from "../../edge/worker.ts";
import { counterOn } from "../../ingest/limit.ts";
import { createEdgeWorld, type EdgeWorld, SECRET } from "../support/edge-world.ts";
import { withinOneMinute } from "../support/minute.ts";
import { historyRow } from "../support/rows.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";

let world: EdgeWorld;
beforeAll(async () => {
  world = await createEdgeWorld();
});
afterAll(() => world.stop());
beforeEach(withinOneMinute);

/** An edge with limits of its own. */
function edgeWith(env: Record<string, string>, replaced: Partial<EdgeDeps> = {}) {
  const real = edgeDeps(edgeConfig({ ...world.env, ...env }), publicFiles);
  const app = createApp({ ...real, log: world.deps.log, ...replaced });
  return async (
    user: string,
    path = `/users/${user}/watchhistory`,
    { roles = ["user"], ...init } = {} as Asking,
  ) =>
    await app.request(path, {
      ...init,
      headers: { authorization: `Bearer ${await tokenFor(SECRET, user, { roles })}`, ...init.headers },
    });
}
type Asking = Omit<RequestInit, "headers"> & { roles?: string[]; headers?: Record<string, string> };

/** Somebody whose views are warm. */
let users = 0;
async function viewer(): Promise<string> {
  const user = `v${++users}`;
  await world.warm(user, [historyRow(user, "a")]);
  return user;
}

/** How many requests Redis has counted for a user in this minute and the one before. */
async function counted(user: string): Promise<number> {
  const keys = await world.redis.keys(`rl:{${user}}:*`);
  return (await Promise.all(keys.map((key) => world.redis.get(key)))).reduce((sum, n) => sum + Number(n), 0);
}

test("past the limit reads are refused, in words and headers, and nobody else's", async () => {
  const [alice, bob] = [await viewer(), await viewer()];
  const ask = edgeWith({ RATE_LIMIT_PER_MINUTE: "5" });
  for (let n = 1; n <= 5; n++) {
    expect((await ask(alice)).status).toBe(200);
    await until(async () => (await counted(alice)) === n, { what: `${n} to be counted` });
  }
  const refused = await until(async () => {
    const answer = await ask(alice);
    return answer.status === 429 && answer;
  });
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(await refused.json()).toMatchObject({ code: "rate_limited", status: 429 });
  const seconds = Number(refused.headers.get("retry-after"));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(refused.headers.get("ratelimit")).toBe(`"user";r=0;t=${seconds}`);
  expect(refused.headers.get("ratelimit-policy")).toBe('"user";q=5;w=60');
  expect(await counted(alice)).toBe(5);

  expect((await ask(bob)).status).toBe(200);
  const known = await until(async () => (await ask(bob)).headers.get("ratelimit"));
  expect(known).toMatch(/^"user";r=[0-4];t=\d+$/);
});

test("counters expire", async () => {
  const user = await viewer();
  await edgeWith({ RATE_LIMIT_PER_MINUTE: "5" })(user);
  const keys = await until(async () => {
    const found = await world.redis.keys(`rl:{${user}}:*`);
    return found.length > 0 && found;
  });
  for (const key of keys) {
    const left = await world.redis.pttl(key);
    expect([key, left > 0 && left <= 121_000]).toEqual([key, true]);
  }
});

test("what is counted anywhere is counted together", async () => {
  const user = await viewer();
  // As ingest counts writes, and as another edge does.
  const elsewhere = counterOn(world.redis);
  for (let n = 0; n < 5; n++) await elsewhere(user as UserId, 5, 1);
  const ask = edgeWith({ RATE_LIMIT_PER_MINUTE: "5" });
  await until(async () => (await ask(user)).status === 429, { what: "the edge to learn of it" });
});

test("services and admins have no limit, and roles may have their own", async () => {
  const user = await viewer();
  const ask = edgeWith({ RATE_LIMIT_PER_MINUTE: "1", RATE_LIMIT_PER_ROLE: "service=0,support=3" });
  const path = `/users/${user}/watchhistory`;
  for (let n = 0; n < 5; n++) expect((await ask("a-service", path, { roles: ["service"] })).status).toBe(200);
  const asked = await ask("sue", path, { roles: ["support"] });
  expect(asked.status).toBe(200);
  const policy = await until(async () =>
    (await ask("sue", path, { roles: ["support"] })).headers.get("ratelimit-policy"),
  );
  expect(policy).toBe('"user";q=3;w=60');
  expect(await counted("a-service")).toBe(0);
});

test("a Worker is asked to live on until a read is counted", async () => {
  const user = await viewer();
  const underway: Promise<unknown>[] = [];
  const context = { waitUntil: (work: Promise<unknown>) => void underway.push(work) };
  const request = new Request(`https://edge/users/${user}/watchhistory`, {
    headers: { authorization: `Bearer ${await tokenFor(SECRET, user)}` },
  });
  const env = { ...world.env, RATE_LIMIT_PER_MINUTE: "5", ASSETS: { fetch: publicFiles } };
  const answer = await worker.fetch(request, env, context as unknown as Parameters<typeof worker.fetch>[2]);
  expect([answer.status, underway.length]).toEqual([200, 1]);
  await Promise.all(underway);
  expect(await counted(user)).toBe(1);
});

test("a page of a browser may see the headers", async () => {
  const answer = await edgeWith({ RATE_LIMIT_PER_MINUTE: "5" })(await viewer(), undefined, {
    headers: { origin: "https://app.example.com" },
  });
  const exposed = answer.headers.get("access-control-expose-headers")?.split(",");
  expect(exposed).toEqual(expect.arrayContaining(["Retry-After", "RateLimit", "RateLimit-Policy"]));
});

test("writes are ingest's to count, and what it refuses passes through unchanged", async () => {
  const user = await viewer();
  const headers = {
    "retry-after": "17",
    ratelimit: '"user";r=0;t=17',
    "ratelimit-policy": '"user";q=1;w=60',
  };
  world.ingest.answer = () => ({ status: 429, headers, body: '{"code":"rate_limited"}' });
  const ask = edgeWith({ RATE_LIMIT_PER_MINUTE: "1" });
  for (let n = 0; n < 3; n++) {
    const answer = await ask(user, `/profiles/${user}/history`, write);
    expect([answer.status, await answer.text()]).toEqual([429, '{"code":"rate_limited"}']);
    for (const [name, value] of Object.entries(headers)) expect(answer.headers.get(name)).toBe(value);
  }
  world.ingest.answer = () => ({ status: 202 });
  expect((await ask(user, `/profiles/${user}/history`, write)).status).toBe(202);
  expect(await counted(user)).toBe(0);
});

test("an edge that must append itself goes by what it knows, and counts it", async () => {
  const user = await viewer();
  const ask = edgeWith({ RATE_LIMIT_PER_MINUTE: "2" });
  await world.ingest.stop();
  try {
    const path = `/profiles/${user}/history`;
    expect((await ask(user, path, write)).status).toBe(202);
    await until(async () => (await ask(user, path, write)).status === 429, { what: "the edge to refuse" });
    expect(await counted(user)).toBe(2);
    const position = JSON.stringify({ position_seconds: 1 });
    const patched = await ask(user, `/api/v1/sessions/${user}/position`, {
      ...write,
      method: "PATCH",
      body: position,
    });
    expect(patched.status).toBe(429);
  } finally {
    await world.ingest.start();
  }
});

describe("a limiter that fails", () => {
  let silent: Server;
  let url: string;
  beforeAll(async () => {
    silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    silent.closeAllConnections();
    silent.close();
  });

  test.each([
    ["hangs", () => url],
    ["is away", () => "http://127.0.0.1:1"],
  ])("because its Redis %s is waited for by nobody, and lets everybody through", async (_, door) => {
    const user = await viewer();
    const logged: unknown[] = [];
    const env = { ...world.env, UPSTASH_REDIS_REST_URL: door(), RATE_LIMIT_PER_MINUTE: "1" };
    const ask = edgeWith({}, { limit: limitThatLogs(env, logged) });
    for (let n = 0; n < 3; n++) {
      const began = performance.now();
      expect((await ask(user)).status).toBe(200);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
    await until(() => logged.length > 0, { what: "it to be said" });
    expect(logged).toEqual([
      ["warn", "limit: requests cannot be counted, they go through", expect.anything()],
    ]);
    expect(JSON.stringify(logged)).not.toContain(user);
  });

  /** As it is built, over this door, with a log that can be read. */
  function limitThatLogs(env: Record<string, string>, logged: unknown[]): EdgeDeps["limit"] {
    const warn = console.warn;
    const { limit } = edgeDeps(edgeConfig(env), publicFiles);
    console.warn = (line: string) => {
      const { level, message, service: _, ...details } = JSON.parse(line);
      logged.push([level, message, details]);
      console.warn = warn;
    };
    return limit;
  }
});

describe("what the edge's own user of Redis may do with the counters", () => {
  let edge: Redis;
  beforeAll(() => {
    const user = { username: "edge", password: "secret-of-the-edge" };
    edge = new Redis(world.server.url, { ...user, enableReadyCheck: false });
  });
  afterAll(() => edge.disconnect());

  test("count", async () => {
    const count = requestCounter({
      evalsha: (digest, keys, args) => edge.evalsha(digest, keys.length, ...keys, ...args.map(String)),
      eval: (source, keys, args) => edge.eval(source, keys.length, ...keys, ...args.map(String)),
    });
    expect(await count("may" as UserId, 1, 1)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await count("may" as UserId, 1, 1)).toMatchObject({ allowed: false, remaining: 0 });
  });

  test("and nothing else, and that nowhere else", async () => {
    await world.redis.set("rl:{other}:1", "1");
    await world.redis.set("elsewhere", "1");
    const before = (await world.redis.keys("*")).sort();
    const attempts: (string | number)[][] = [
      ["SET", "rl:{other}:1", "0"],
      ["DEL", "rl:{other}:1"],
      ["UNLINK", "rl:{other}:1"],
      ["HSET", "rl:{new}", "a", "1"],
      ["SCAN", "0"],
      ["KEYS", "rl:*"],
      ["INCRBY", "elsewhere", "1"],
      ["INCRBY", "wh:count", "1"],
      ["PEXPIRE", "elsewhere", "1"],
      ["PEXPIRE", "wh:state:{v1}", "1"],
      ["GET", "elsewhere"],
      ["EVAL", "return redis.call('DEL', KEYS[1])", 1, "rl:{other}:1"],
      ["EVAL", "return redis.call('SET', KEYS[1], '1')", 1, "rl:{other}:1"],
      ["EVAL", "return redis.call('PEXPIRE', 'elsewhere', 1)", 1, "rl:{other}:1"],
      ["EVAL", "return redis.call('INCRBY', 'stream:other', 1)", 1, "rl:{other}:1"],
      ["EVAL", "return 1", 1, "elsewhere"],
    ];
    for (const [command = "", ...args] of attempts) {
      const outcome = await edge.call(String(command), ...args).catch((error: Error) => error);
      expect([command, args[0], outcome]).toEqual([command, args[0], expect.any(Error)]);
      expect(String(outcome)).toMatch(
        /NOPERM|no permissions|can't (run|access)|not allowed|unknown command/i,
      );
    }
    expect((await world.redis.keys("*")).sort()).toEqual(before);
    expect(await world.redis.mget("rl:{other}:1", "elsewhere")).toEqual(["1", "1"]);
  });
});

const write = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ content_id: "c", playback_time: 1 }),
};
