import { describe, expect, test } from "vitest";
import { readTraceparent } from "../../db/contract/trace-context.ts";
import type { Span } from "../../db/trace/span.ts";
import { createTracer } from "../../db/trace/tracer.ts";
import type { Answered, EdgeDeps } from "../../edge/deps.ts";
import { IngestUnreachable } from "../../edge/ingest.ts";
import { RedisFailed } from "../../edge/redis.ts";
import { SECRET } from "../support/edge-world.ts";
import { fakeEdge } from "../support/fake-edge.ts";
import { tokenFor } from "../support/tokens.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const SAMPLED = `00-${TRACE}-${SPAN}-01`;
const LIST = "/users/alice/watchhistory";
const WRITE = "/users/alice/playlists/watchhistory";

/** Redis that does what is given, and nothing else. */
const redisThat = (its: Partial<EdgeDeps["redis"]>) => ({ redis: its as EdgeDeps["redis"] });
const cold = redisThat({ readHistory: async () => ({ state: "cold" }) });
const away = redisThat({ readHistory: () => Promise.reject(new RedisFailed("TimeoutError")) });
const unreachable = { ingest: () => Promise.reject(new IngestUnreachable("TimeoutError")) };

/** An edge that is watched, and what was seen of it. */
function watchedEdge(replaced: Partial<EdgeDeps> = {}, ratio = 0) {
  const spans: Span[] = [];
  const answers: Answered[] = [];
  let recorded = 0;
  const watching = {
    tracer: createTracer(ratio, (span) => void spans.push(span)),
    answered: (answer: Answered) => void answers.push(answer),
    recorded: () => void recorded++,
  };
  const edge = fakeEdge({ watching, ...replaced });
  return { ...edge, spans, answers, recorded: () => recorded };
}

type Edge = Pick<ReturnType<typeof fakeEdge>, "app">;
async function ask({ app }: Edge, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${await tokenFor(SECRET, "alice")}`;
  return await app.request(path, { headers: { authorization, ...headers } });
}
async function write({ app }: Edge, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${await tokenFor(SECRET, "alice")}`;
  const body = JSON.stringify({ content_id: "a-private-film", playback_time: 1, duration: 2 });
  const its = { authorization, "content-type": "application/json", ...headers };
  return await app.request(WRITE, { method: "POST", body, headers: its });
}

describe("Server-Timing", () => {
  const said = async (asking: Promise<Response>) =>
    (await asking).headers.get("server-timing")?.replace(/=\d+(\.\d)?/g, "=ms");

  test("says how long it took, what of that was waited for whom, and what the views knew", async () => {
    expect(await said(ask(fakeEdge(), LIST))).toBe("edge;dur=ms, redis;dur=ms, cache;desc=hit");
    const both = "edge;dur=ms, redis;dur=ms, ingest;dur=ms";
    expect(await said(ask(fakeEdge(cold), LIST))).toBe(`${both}, cache;desc=cold`);
    expect(await said(ask(fakeEdge(away), LIST))).toBe(`${both}, cache;desc=away`);
    expect(await said(write(fakeEdge()))).toBe("edge;dur=ms, ingest;dur=ms");
    expect(await said(write(fakeEdge(unreachable)))).toBe("edge;dur=ms, redis;dur=ms, ingest;dur=ms");
  });

  test("stands on every answer, a refusal and a crash among them", async () => {
    const crash = redisThat({ readHistory: () => Promise.reject(new TypeError("a fault of ours")) });
    const answers = [
      await fakeEdge().app.request("/health"),
      await fakeEdge().app.request(LIST),
      await fakeEdge().app.request("/nowhere"),
      await fakeEdge().app.request("/health", { method: "POST" }),
      await ask(fakeEdge({ ...away, ...unreachable }), LIST),
      await ask(fakeEdge(crash), LIST),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 405, 503, 500]);
    for (const answer of answers) expect(answer.headers.get("server-timing")).toMatch(/^edge;dur=\d/);
  });

  test("measures: who waited longer says more", async () => {
    const slow = redisThat({
      readHistory: async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return { state: "page", version: "e.1", complete: true, found: [] };
      },
    });
    const timing = (await ask(fakeEdge(slow), LIST)).headers.get("server-timing") ?? "";
    const [, edge = 0, redis = 0] = /^edge;dur=([\d.]+), redis;dur=([\d.]+)/.exec(timing) ?? [];
    expect(Number(redis)).toBeGreaterThan(25);
    expect(Number(edge)).toBeGreaterThanOrEqual(Number(redis));
  });
});

describe("traces", () => {
  test("a request goes on with the trace of its client, and ingest with that of the edge", async () => {
    const edge = watchedEdge(cold);
    await ask(edge, LIST, { traceparent: SAMPLED });
    const [redis, ingest, request] = edge.spans;
    expect(edge.spans).toHaveLength(3);
    expect(request).toMatchObject({ traceId: TRACE, parentId: SPAN, kind: "server", failed: false });
    expect(request).toMatchObject({
      name: "GET /users/:user_id/watchhistory",
      attributes: { "http.request.method": "GET", "http.response.status_code": 202 },
    });
    expect(redis).toMatchObject({ name: "redis", kind: "client", parentId: request?.spanId });
    expect(ingest).toMatchObject({ name: "ingest", kind: "client", parentId: request?.spanId });
    expect(edge.asked[0]?.headers.traceparent).toBe(`00-${TRACE}-${ingest?.spanId}-01`);
    expect(edge.recorded()).toBe(1);
  });

  test("a malformed traceparent begins another trace", async () => {
    const edge = watchedEdge({}, 1);
    await write(edge, { traceparent: `00-${TRACE}-${"0".repeat(16)}-01` });
    const passed = readTraceparent(edge.asked[0]?.headers.traceparent);
    expect(passed?.sampled).toBe(true);
    expect(passed?.traceId).not.toBe(TRACE);
    expect(new Set(edge.spans.map(({ traceId }) => traceId))).toEqual(new Set([passed?.traceId]));
  });

  test("what failed says so", async () => {
    const edge = watchedEdge({ ...away, ...unreachable });
    await ask(edge, LIST, { traceparent: SAMPLED });
    expect(edge.spans.map(({ name, failed }) => [name, failed])).toEqual([
      ...[
        ["redis", true],
        ["ingest", true],
      ],
      ["GET /users/:user_id/watchhistory", true],
    ]);
  });

  test("an entry that the edge appends itself tells the turn where it came from, if somebody records that", async () => {
    const appended: unknown[] = [];
    const append: EdgeDeps["redis"]["append"] = async (entry) => {
      appended.push(entry.traceparent);
      return true;
    };
    const edge = watchedEdge({ ...redisThat({ append }), ...unreachable });
    await write(edge, { traceparent: SAMPLED });
    await write(edge);
    const redis = edge.spans.find(({ name }) => name === "redis");
    expect(appended).toEqual([`00-${TRACE}-${redis?.spanId}-01`, undefined]);
  });

  test("where nobody records, the client's goes on as it came, and one of ours joins the lines of both sides", async () => {
    const edge = fakeEdge();
    await write(edge, { traceparent: SAMPLED });
    await write(edge);
    const [client, own] = edge.asked.map(({ headers }) => readTraceparent(headers.traceparent));
    expect(edge.asked[0]?.headers.traceparent).toBe(SAMPLED);
    expect(client?.traceId).toBe(TRACE);
    expect(own).toMatchObject({ sampled: false });
    expect(own?.traceId).not.toBe(TRACE);
  });

  test("no span holds anything that a client sent", async () => {
    const edge = watchedEdge({}, 1);
    await write(edge);
    await ask(edge, `${LIST}/a-private-film?x=a-private-film`);
    await ask(edge, "/a-private-film");
    expect(edge.spans.length).toBeGreaterThan(4);
    expect(JSON.stringify(edge.spans)).not.toMatch(/alice|a-private|Bearer/);
  });
});

describe("what others are told", () => {
  test("ingest, why it is asked", async () => {
    for (const [its, because] of [
      [cold, "cold"],
      [away, "away"],
    ] as const) {
      const edge = fakeEdge(its);
      await ask(edge, LIST);
      expect(edge.asked[0]?.headers["playhead-cache"]).toBe(because);
    }
    const edge = fakeEdge();
    await write(edge);
    expect(edge.asked[0]?.headers).not.toHaveProperty("playhead-cache");
  });

  test("whoever counts, every answer", async () => {
    const edge = watchedEdge();
    await ask(edge, LIST);
    await write(edge);
    await edge.app.request(LIST);
    await edge.app.request("/health");
    expect(edge.answers).toMatchObject([
      { kind: "read", status: 200, cache: "hit" },
      { kind: "write", status: 202, cache: undefined },
      { kind: "read", status: 401, cache: undefined },
    ]);
    for (const { ms } of edge.answers) expect(ms).toBeGreaterThan(0);
  });

  test("the log, which request and which trace, and nothing that a client sent", async () => {
    const crash = () => Promise.reject(new TypeError("a fault of ours"));
    const edge = fakeEdge({ ...redisThat({ readHistory: crash }) });
    const ids = { traceparent: SAMPLED, "x-request-id": "r-1" };
    await ask(edge, LIST, ids);
    await write(
      fakeEdge({ ...unreachable, log: (...line) => void edge.logged.push(JSON.stringify(line)) }),
      ids,
    );
    await ask(
      fakeEdge({ ...away, log: (...line) => void edge.logged.push(JSON.stringify(line)) }),
      LIST,
      ids,
    );
    expect(edge.logged).toHaveLength(3);
    for (const line of edge.logged) {
      expect(JSON.parse(line)[2]).toMatchObject({ request_id: "r-1", trace_id: TRACE });
      expect(line).not.toMatch(/alice|a-private|Bearer|eyJ/);
    }
  });
});
