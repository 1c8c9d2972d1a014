import { afterEach, describe, expect, test } from "vitest";
import { eventStream } from "../../db/redis/keys.ts";
import { type CollectedSpan, type Collector, startCollector } from "../support/collector.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** What a collector learns of both sides. */

const CLIENT = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const traceparent = `00-${CLIENT.trace}-${CLIENT.span}-01`;
const beat = { content_id: "a-private-film", playback_time: 60, duration: 3_600 };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function recorded(
  settings: Record<string, string> = {},
): Promise<{ world: World; collector: Collector }> {
  const collector = await startCollector();
  cleanups.push(() => collector.stop());
  const world = await createWorld({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...settings });
  cleanups.push(() => world.stop());
  return { world, collector };
}

function named(spans: readonly CollectedSpan[], name: string, service: string): CollectedSpan | undefined {
  return spans.find((span) => span.name === name && span.resource["service.name"] === service);
}

async function send(world: World, headers: Record<string, string> = {}): Promise<number> {
  const its = { "content-type": "application/json", ...headers };
  return (await world.send("alice", beat, { headers: its })).status;
}

describe("with a collector", () => {
  test("a heartbeat is one trace through edge and ingest, and its turn is linked to it", async () => {
    const { world, collector } = await recorded({ OTEL_TRACES_SAMPLER_ARG: "0" });
    expect(await send(world, { traceparent })).toBe(202);
    await world.drained();
    const { spans } = collector;
    const turn = await until(() => named(spans, "turn", "playhead-ingest"), { what: "the span of the turn" });
    const of = (name: string, service: string) =>
      until(() => named(spans, name, service), { what: `${name} of ${service}` });

    const write = "POST /users/:session_id/playlists/watchhistory";
    const atEdge = await of(write, "playhead-edge");
    const asked = await of("ingest", "playhead-edge");
    const atIngest = await of(write, "playhead-ingest");
    const append = await of("append", "playhead-ingest");
    expect(atEdge).toMatchObject({ traceId: CLIENT.trace, parentId: CLIENT.span, failed: false });
    expect(asked).toMatchObject({ traceId: CLIENT.trace, parentId: atEdge.spanId });
    expect(atIngest).toMatchObject({ traceId: CLIENT.trace, parentId: asked.spanId });
    expect(atIngest.attributes).toMatchObject({ "http.response.status_code": 202 });
    expect(append).toMatchObject({ traceId: CLIENT.trace, parentId: atIngest.spanId });

    expect(turn.traceId).not.toBe(CLIENT.trace);
    expect(turn.links).toEqual([`${CLIENT.trace}-${append.spanId}`]);
    const partOf = (parent: CollectedSpan) => spans.filter(({ parentId }) => parentId === parent.spanId);
    expect(partOf(turn).map(({ name }) => name)).toEqual(["store", "project", "publish", "settle"]);
    const stored = partOf(await of("store", "playhead-ingest"));
    const inside = stored.flatMap((part) => [part, ...partOf(part)]).map(({ name }) => name);
    expect(inside).toContain("INSERT listitems");
    expect(inside).toContain("transaction");
    const projected = partOf(await of("project", "playhead-ingest"));
    expect(projected.map(({ name }) => name)).toContain("applyRows");
    expect(partOf(await of("settle", "playhead-ingest")).map(({ name }) => name)).toEqual(["settleEntries"]);
    expect(collector.faults).toEqual([]);
  });

  test("a cold read says where it waited: Redis, ingest, Postgres, and what warmed the view", async () => {
    const { world, collector } = await recorded();
    const answer = await world.ask("/users/alice/watchhistory");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("server-timing")).toMatch(/redis;dur=.*ingest;dur=.*cache;desc=cold/);
    const { spans } = collector;
    const read = "GET /users/:user_id/watchhistory";
    const atIngest = await until(() => named(spans, read, "playhead-ingest"));
    await until(() => named(spans, read, "playhead-edge"));
    const ofTrace = spans.filter(({ traceId }) => traceId === atIngest.traceId);
    const names = ofTrace.map(({ name }) => name);
    for (const name of ["redis", "ingest", "readHistory", "beginRefill", "finishRefill"]) {
      expect(names).toContain(name);
    }
    expect(ofTrace.some(({ attributes }) => attributes["db.system.name"] === "postgresql")).toBe(true);
    expect(collector.faults).toEqual([]);
  });

  test("no span holds a user, a content, a token or a body", async () => {
    const { world, collector } = await recorded();
    await send(world);
    await world.ask("/users/alice/watchhistory/a-private-film?q=a-private-film");
    await world.ask("/users/alice/watchhistory/a-private-film", { method: "DELETE" });
    await world.drained();
    await until(() => named(collector.spans, "turn", "playhead-ingest"));
    await until(() =>
      named(collector.spans, "DELETE /users/:user_id/watchhistory/:content_id", "playhead-ingest"),
    );
    expect(JSON.stringify(collector.spans)).not.toMatch(/alice|a-private|eyJ|Bearer/);
  });

  test("what is not sampled is not recorded anywhere, turns included", async () => {
    const { world, collector } = await recorded({ OTEL_TRACES_SAMPLER_ARG: "0" });
    expect(await send(world)).toBe(202);
    await world.drained();
    expect(await send(world, { traceparent })).toBe(202);
    await until(() => named(collector.spans, "turn", "playhead-ingest"));
    const traces = new Set(collector.spans.map(({ traceId }) => traceId));
    expect(traces.size).toBe(2);
  });
});

describe("without one", () => {
  test("a collector that hangs or is away slows nobody down, and the end comes soon", async () => {
    const { world, collector } = await recorded();
    collector.hangs = true;
    expect(await send(world)).toBe(202);
    await until(() => collector.headers.length > 0);
    const began = performance.now();
    for (let n = 0; n < 20; n++) expect(await send(world)).toBe(202);
    expect(performance.now() - began).toBeLessThan(2_000);
    await world.drained();
    await collector.stop();
    expect(await send(world)).toBe(202);
    const [service] = world.services;
    const stopping = performance.now();
    await service?.stop();
    expect(performance.now() - stopping).toBeLessThan(2_000);
    cleanups.shift();
  });

  test("traces are off: entries do not tell where they come from", async () => {
    const world = await createWorld();
    cleanups.push(() => world.stop());
    await Promise.all(world.services.map((service) => service.stop()));
    expect(await send(world, { traceparent })).toBe(202);
    const [[, fields = []] = []] = await world.redis.xrange(eventStream, "-", "+");
    expect(fields.join()).toContain("a-private-film");
    expect(fields.join()).not.toContain("traceparent");
  });
});
