import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Child, startChild } from "../../db/local/child.ts";
import { freePort } from "../../db/local/port.ts";
import { type Collector, startCollector } from "../support/collector.ts";
import { createEdgeWorld, type EdgeWorld, SECRET } from "../support/edge-world.ts";
import { bodyOf, linesIn } from "../support/ndjson.ts";
import { historyRow } from "../support/rows.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
/** wrangler dev would pack the document, and holds back its beginning for that. */
const UNPACKED = { headers: { "accept-encoding": "identity" } };
const LIST = "/users/alice/watchhistory";

let world: EdgeWorld;
beforeAll(async () => {
  world = await createEdgeWorld();
});
afterAll(() => world.stop());

/** How each runtime is started: the same app, the same variables. */
const RUNTIMES: Record<string, (port: number, env: Record<string, string>) => string[]> = {
  node: (port, env) => [...variables({ ...env, EDGE_PORT: `${port}` }), process.execPath, "edge/node.ts"],
  deno: (port, env) => [
    ...variables({ ...env, EDGE_PORT: `${port}`, DENO_NO_UPDATE_CHECK: "1" }),
    ...[denoBinary(), "run", "--cached-only", "--no-prompt"],
    ...["--allow-net", "--allow-env", "--allow-read=edge/public", "edge/deno.ts"],
  ],
  workerd: (port, env) => [
    ...variables({ WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" }),
    ...[process.execPath, "node_modules/wrangler/bin/wrangler.js", "dev", "--ip", "127.0.0.1"],
    ...["--port", `${port}`, "--inspector-port", "0", "--persist-to", join(world.server.dir, "worker")],
    ...Object.entries(env).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ],
};

describe.each(Object.keys(RUNTIMES))("on %s", (runtime) => {
  let edge: Child;
  let url: string;
  let collector: Collector;
  let metricsPort: number;
  beforeAll(async () => {
    const port = await freePort();
    metricsPort = await freePort();
    collector = await startCollector();
    const env = {
      ...world.env,
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: "0" },
      EDGE_METRICS_PORT: `${metricsPort}`,
    };
    url = `http://127.0.0.1:${port}`;
    edge = await startChild({
      name: `the edge on ${runtime}`,
      command: "/usr/bin/env",
      args: RUNTIMES[runtime]?.(port, env) ?? [],
      spawnAs: { cwd: ROOT },
      stopSignal: "SIGTERM",
      ready: () =>
        fetch(`${url}/health`).then(
          (answer) => answer.ok,
          () => false,
        ),
    });
    world.ingest.asked.length = 0;
  });
  beforeEach(() => {
    world.ingest.answer = () => ({ status: 202, body: '{"of":"ingest"}' });
  });
  afterAll(async () => {
    await edge?.stop();
    await collector.stop();
  });

  async function ask(path: string, init: RequestInit = {}) {
    const authorization = `Bearer ${await tokenFor(SECRET, "alice")}`;
    return await fetch(url + path, { ...init, headers: { authorization, ...init.headers } });
  }
  const json = { "content-type": "application/json" };

  test.each(["ends", "breaks off"])(
    "an export passes through as it comes, and %s as it does",
    async (how) => {
      world.ingest.answer = () => "begins";
      const answer = await ask("/profiles/alice/export", UNPACKED);
      expect([answer.status, answer.headers.get("content-disposition")]).toEqual([200, "attachment"]);
      const reader = answer.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('{"begun": true');
      for (const held of world.ingest.held.splice(0)) how === "ends" ? held.end("}") : held.destroy();
      const rest = async () => {
        let text = "";
        for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
          text += new TextDecoder().decode(read.value);
        }
        return text;
      };
      if (how === "ends") expect(await rest()).toBe("}");
      else await expect(rest()).rejects.toThrow();
    },
  );

  test("it is alive and ready", async () => {
    expect(await (await ask("/health")).json()).toEqual({ status: "ok" });
    expect(await (await ask("/ready")).json()).toEqual({ status: "ok", redis: true, ingest: true });
  });

  test("nobody is let in without a token", async () => {
    const answer = await ask(LIST, { headers: { authorization: "" } });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([401, "application/problem+json"]);
  });

  test("a warm read is one request to the door, an unchanged one too", async () => {
    await world.warm("alice", [historyRow("alice", "a"), historyRow("alice", "b")]);
    await ask(LIST);
    const before = world.door.requests();
    const list = await ask(`${LIST}?limit=1`);
    expect(await list.json()).toEqual([expect.objectContaining({ content_id: "b" })]);
    expect(list.headers.get("link")).toContain('rel="next"');
    const same = await ask(`${LIST}?limit=1`, {
      headers: { "if-none-match": list.headers.get("etag") ?? "" },
    });
    expect([same.status, world.door.requests() - before]).toEqual([304, 2]);
  });

  test("many at once are answered, each with its own", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => ask(`${LIST}?limit=${(n % 2) + 1}`)),
    );
    const sizes = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as unknown[]).length),
    );
    expect(sizes).toEqual(Array.from({ length: 20 }, (_, n) => (n % 2) + 1));
  });

  test("a write reaches ingest byte by byte, sent whole or in pieces", async () => {
    const body = '{ "content_id":"é", "playback_time": 1.50 }';
    const pieces = new Blob([body.slice(0, 9), body.slice(9)]).stream();
    for (const sent of [{ body }, { body: pieces, duplex: "half" as const }]) {
      const answer = await ask("/users/s-1/playlists/watchhistory", {
        method: "POST",
        headers: json,
        ...sent,
      });
      expect([answer.status, await answer.text()]).toEqual([202, '{"of":"ingest"}']);
      const asked = world.ingest.asked.at(-1);
      expect(asked?.body.toString()).toBe(body);
      expect(asked?.headers["playhead-arrival-id"]).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect((await ask(`${LIST}/a`, { method: "DELETE" })).status).toBe(202);
    expect(world.ingest.asked.at(-1)).toMatchObject({ method: "DELETE", path: `${LIST}/a` });
  });

  test("a body that is too large is refused in words, and so is a stranger's", async () => {
    const body = `"${"x".repeat(1_200_000)}"`;
    const stranger = { ...json, authorization: "" };
    const unknown = await ask("/users/s-1/playlists/watchhistory", {
      method: "POST",
      headers: stranger,
      body,
    });
    expect(unknown.status).toBe(401);
    const answer = await ask("/users/s-1/playlists/watchhistory", { method: "POST", headers: json, body });
    expect([answer.status, await answer.json()]).toEqual([
      413,
      expect.objectContaining({ code: "body_too_large" }),
    ]);
  });

  describe("a stream of lines", () => {
    /** How many lines come back; some are made only when those that are so many before them have come back. */
    async function saidBack({ total, atOnce, ahead }: Record<"total" | "atOnce" | "ahead", number>) {
      let back = 0;
      let came = Promise.withResolvers<void>();
      async function* lines() {
        for (let from = 1; from <= total; from += atOnce) {
          while (from - back > ahead) await came.promise;
          const some = Array.from({ length: atOnce }, (_, n) => `{"content_id":"c${from + n}"}`.padEnd(150));
          yield `${some.join("\n")}\n`;
        }
      }
      const answer = await ask("/contents", {
        method: "POST",
        headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${service}` },
        body: bodyOf(lines()),
        duplex: "half",
      });
      expect(answer.status).toBe(200);
      for await (const { content_id } of linesIn(answer)) {
        back++;
        if (content_id !== `c${back}`) throw new Error(`${content_id} in the place of c${back}`);
        came.resolve();
        came = Promise.withResolvers();
      }
      return back;
    }
    let service: string;
    beforeAll(async () => {
      service = await tokenFor(SECRET, "cms", { roles: ["service"] });
    });
    beforeEach(() => {
      world.ingest.answer = () => "echoes";
    });

    test("larger than everything on its way passes both ways while it is made", async () => {
      expect(await saidBack({ total: 100_000, atOnce: 50, ahead: 50_000 })).toBe(100_000);
    }, 60_000);

    test("of a client that hears of one line before it sends the next does not get stuck", async () => {
      expect(await saidBack({ total: 100, atOnce: 1, ahead: 1 })).toBe(100);
    });

    test("without ingest is refused", async () => {
      await world.ingest.stop();
      const headers = { "content-type": "application/x-ndjson", authorization: `Bearer ${service}` };
      const answer = await ask("/contents", { method: "POST", headers, body: '{"content_id":"c"}\n' });
      await world.ingest.start();
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await answer.json()).toMatchObject({ code: "unavailable" });
    });
  });

  test("without ingest the edge appends to the stream itself", async () => {
    await world.ingest.stop();
    try {
      const before = await world.redis.xlen("stream:watch-history");
      const events = Array.from({ length: 500 }, () => ({ content_id: "c".repeat(128), playback_time: 1 }));
      const init = { method: "POST", headers: json, body: JSON.stringify({ events }) };
      const answer = await ask("/users/s-1/playlists/watchhistory", init);
      expect([answer.status, await answer.json()]).toEqual([202, expect.objectContaining({ status: "ok" })]);
      expect((await world.redis.xlen("stream:watch-history")) - before).toBe(1);
    } finally {
      await world.ingest.start();
    }
  });

  test("a collector hears of a request that its client has recorded, and of no other; so does ingest", async () => {
    const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
    await ask("/users/bob/next-up");
    const headers = { ...json, traceparent: `00-${trace}-${span}-01` };
    const sent = { method: "POST", headers, body: '{"content_id":"a","playback_time":1}' };
    const answer = await ask("/users/s-1/playlists/watchhistory", sent);
    expect(answer.headers.get("server-timing")).toMatch(/^edge;dur=[\d.]+, ingest;dur=[\d.]+$/);
    await until(() => collector.spans.length >= 2, { what: "spans" });
    const asked = collector.spans.find(({ name }) => name === "ingest");
    const request = collector.spans.find(({ kind }) => kind === 2);
    expect(request).toMatchObject({
      name: "POST /users/:session_id/playlists/watchhistory",
      ...{ traceId: trace, parentId: span, resource: { "service.name": "playhead-edge" } },
    });
    expect(asked).toMatchObject({ traceId: trace, parentId: request?.spanId });
    expect(world.ingest.asked.at(-1)?.headers.traceparent).toBe(`00-${trace}-${asked?.spanId}-01`);
    expect(collector.spans.every(({ traceId }) => traceId === trace)).toBe(true);
    expect(collector.faults).toEqual([]);
  });

  test.runIf(runtime !== "workerd")("what it counts is on a port of its own", async () => {
    await ask(LIST);
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(text).toMatch(/^playhead_edge_cache_total\{cache="hit"\} [1-9]/m);
    expect(text).toMatch(/^playhead_edge_request_seconds_count\{kind="write",status="2xx"\} [1-9]/m);
    expect((await ask("/metrics")).status).toBe(404);
  });

  test("the API reference is served, and nothing else that lies around", async () => {
    const reference = await ask("/openapi.json");
    expect(reference.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await reference.json()).toMatchObject({ openapi: "3.1.0" });
    for (const path of ["/nowhere", "/app.ts", "/public/openapi.json"]) {
      const answer = await ask(path);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    }
  });

  test("HEAD is GET without a body", async () => {
    const head = await ask(LIST, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("etag")).toBeTruthy();
  });

  test("it stops when asked to", async () => {
    await edge.stop();
    await expect(ask("/health")).rejects.toThrow();
  });
});

function variables(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

/** The binary itself: it is sent the signals. */
function denoBinary(): string {
  return createRequire(import.meta.url)("deno/install_api.cjs").runInstall();
}
