import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Child, startChild } from "../../db/local/child.ts";
import { freePort } from "../../db/local/port.ts";
import { bodyOf, linesIn } from "../support/ndjson.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { openSocket } from "../support/socket.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { createWorld } from "../support/world.ts";

/** What clients may take of a server: of ingest, and of the edge on Node. Both are processes of their own here. */

const ROOT = join(import.meta.dirname, "../..");
const SECRET = "a secret that only tests know";

let redis: TestRedis;
const children: Child[] = [];
const urls: Record<string, string> = {};
let token: string;

beforeAll(async () => {
  redis = await startTestRedis({ appendfsync: "no" });
  token = await tokenFor(SECRET, "alice");
  const ingestPort = await freePort();
  const edgePort = await freePort();
  urls.ingest = `http://127.0.0.1:${ingestPort}`;
  urls.edge = `http://127.0.0.1:${edgePort}`;
  const common = { AUTH_SECRET: SECRET, RATE_LIMIT_PER_MINUTE: "0", LOG_LEVEL: "silent" };
  await start("ingest/main.ts", urls.ingest, {
    ...common,
    REDIS_URL: redis.url,
    INGEST_PORT: `${ingestPort}`,
  });
  const door = { UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1", UPSTASH_REDIS_REST_TOKEN: "t" };
  await start("edge/node.ts", urls.edge, {
    ...common,
    ...door,
    INGEST_URL: urls.ingest,
    EDGE_PORT: `${edgePort}`,
  });
});
afterAll(async () => {
  for (const child of children.toReversed()) await child.stop();
  await redis.stop();
});

describe.each(["ingest", "edge"])("%s", (side) => {
  const url = () => urls[side] ?? "";
  const head = (more: string) =>
    `POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
    `Content-Type: application/json\r\n${more}\r\n\r\n`;

  /** Somebody else is served as always. */
  async function servesOthers(): Promise<void> {
    const began = performance.now();
    const body = JSON.stringify({ user_id: "alice", content_id: "c", device_id: "d" });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${url()}/api/v1/sessions`, { method: "POST", headers, body });
    expect(answer.status).toBe(201);
    expect(performance.now() - began).toBeLessThan(1_000);
  }

  test.concurrent("headers that trickle are given up: 408, and the connection is closed", async () => {
    const slow = Array.from({ length: 50 }, () => openSocket(url()));
    const began = performance.now();
    for (const one of slow) one.say("GET /health HTTP/1.1\r\nHost: x\r\n");
    const trickle = setInterval(() => {
      for (const [n, one] of slow.entries()) one.say(`X-${n}: 1\r\n`);
    }, 500);
    try {
      await servesOthers();
      await until(() => slow.every((one) => one.isClosed()), { timeout: 15_000, what: "all to be closed" });
    } finally {
      clearInterval(trickle);
    }
    expect(performance.now() - began).toBeGreaterThan(9_000);
    expect(new Set(slow.map((one) => one.status()))).toEqual(new Set([408]));
  });

  test.concurrent("who connects and says nothing is given up, too", async () => {
    const silent = openSocket(url());
    await servesOthers();
    await silent.closed(15_000);
  });

  test.concurrent("a body that trickles is given up: 408 in words, and the connection is closed", async () => {
    const slow = openSocket(url());
    slow.say(`${head("Content-Length: 1000")}{"user_id":`);
    const trickle = setInterval(() => slow.say(" "), 200);
    try {
      await servesOthers();
      await until(() => slow.status() === 408, { timeout: 15_000, what: "the refusal" });
      await slow.closed(5_000);
    } finally {
      clearInterval(trickle);
    }
    expect(slow.heard()).toContain('"code":"body_too_slow"');
  });

  test.concurrent("a body in chunks that trickle is given up as well", async () => {
    const slow = openSocket(url());
    slow.say(`${head("Transfer-Encoding: chunked")}1\r\n{\r\n`);
    const trickle = setInterval(() => slow.say("1\r\n \r\n"), 200);
    try {
      await until(() => slow.status() === 408, { timeout: 15_000, what: "the refusal" });
      await slow.closed(5_000);
    } finally {
      clearInterval(trickle);
    }
  });

  test.concurrent("20 KB of headers: 431, and the connection is closed", async () => {
    const large = openSocket(url());
    large.say(`GET /health HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`);
    await large.closed(5_000);
    expect(large.status()).toBe(431);
    const allowed = openSocket(url());
    allowed.say(`GET /health HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(15_000)}\r\n\r\n`);
    await until(() => allowed.status() === 200, { what: "15 KB to be taken" });
    allowed.hangUp();
    await servesOthers();
  });

  test.concurrent("2 MB in chunks, of a length that nobody announced: 413 in words", async () => {
    const large = openSocket(url());
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    large.say(head("Transfer-Encoding: chunked") + chunk.repeat(32));
    await servesOthers();
    large.say("0\r\n\r\n");
    await until(() => large.status() === 413, { what: "the refusal" });
    expect(large.heard()).toContain('"code":"body_too_large"');
    large.hangUp();
  });

  test.concurrent("a body without an end is given up, and its connection closed", async () => {
    const endless = openSocket(url());
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    endless.say(head("Transfer-Encoding: chunked"));
    const flood = setInterval(() => endless.say(chunk.repeat(4)), 50);
    try {
      await servesOthers();
      await endless.closed(20_000);
    } finally {
      clearInterval(flood);
    }
    expect([408, 413]).toContain(endless.status());
  });

  test.concurrent("what nobody may send is refused before it is read", async () => {
    const stranger = openSocket(url());
    stranger.say("POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nx");
    await until(() => stranger.status() === 401, { what: "the refusal" });
    await stranger.closed(5_000);
  });
});

test.concurrent("a catalogue may come slowly, as long as something moves", async () => {
  const world = await createWorld();
  try {
    const began = performance.now();
    async function* lines() {
      for (let n = 0; performance.now() - began < 12_000; n++) {
        yield `${JSON.stringify({ content_id: `c${n}`, title: "Slow" })}\n`;
        const next = performance.now() + 2_000;
        await until(() => performance.now() > next, { what: "the next line" });
      }
    }
    const answer = await world.ask("/contents", {
      ...{ at: world.ingestUrl, method: "POST", token: { roles: ["service"] } },
      headers: { "content-type": "application/x-ndjson" },
      body: bodyOf(lines()),
      ...{ duplex: "half" },
    });
    let stored = 0;
    for await (const { status } of linesIn(answer)) stored += status === "created" ? 1 : 0;
    expect(stored).toBeGreaterThan(4);
  } finally {
    await world.stop();
  }
});

async function start(file: string, url: string, env: Record<string, string>): Promise<void> {
  const child = await startChild({
    name: file,
    command: "/usr/bin/env",
    args: [...Object.entries(env).map(([name, value]) => `${name}=${value}`), process.execPath, file],
    spawnAs: { cwd: ROOT },
    stopSignal: "SIGTERM",
    ready: () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  children.push(child);
}
