import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { readTraceparent, traceparent } from "../../db/contract/trace-context.ts";
import { traceConfigOf, traceVariables } from "../../db/trace/config.ts";
import { otlpExporter } from "../../db/trace/exporter.ts";
import type { Span } from "../../db/trace/span.ts";
import { createTracer, newTraceId } from "../../db/trace/tracer.ts";
import { type Collector, startCollector } from "../support/collector.ts";
import { until } from "../support/until.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("traceparent", () => {
  test("is read as W3C has it, and written the same", () => {
    const header = `00-${TRACE}-${SPAN}-01`;
    const context = { traceId: TRACE, spanId: SPAN, sampled: true };
    expect(readTraceparent(header)).toEqual(context);
    expect(traceparent(context)).toBe(header);
    expect(readTraceparent(`00-${TRACE}-${SPAN}-02`)?.sampled).toBe(false);
    expect(traceparent({ ...context, sampled: false })).toBe(`00-${TRACE}-${SPAN}-00`);
  });

  test("of a later version is read as far as it is known", () => {
    expect(readTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes`)).toMatchObject({
      traceId: TRACE,
      spanId: SPAN,
    });
  });

  test.each([
    ["nothing", undefined],
    ["an empty one", ""],
    ["words", "hello"],
    ["capitals", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a short trace", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["the trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["the span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["the version that is none", `ff-${TRACE}-${SPAN}-01`],
    ["a tail on version 00", `00-${TRACE}-${SPAN}-01-more`],
    ["a line break behind it", `00-${TRACE}-${SPAN}-01\n`],
    ["a space before it", ` 00-${TRACE}-${SPAN}-01`],
  ])("is none when it is %s", (_, header) => {
    expect(readTraceparent(header)).toBeNull();
  });
});

describe("a tracer", () => {
  function traced(ratio: number) {
    const spans: Span[] = [];
    return { spans, tracer: createTracer(ratio, (span) => void spans.push(span)) };
  }

  test("goes on with the trace of its parent, and its parts are parts of it", () => {
    const { spans, tracer } = traced(0);
    const parent = { traceId: TRACE, spanId: SPAN, sampled: true };
    const request = tracer.begin("request", "server", { parent });
    const part = request.begin("statement", "client", { calls: 2 });
    part.end({ failed: true });
    request.end({ name: "GET /", attributes: { status: 200 } });
    expect(spans).toMatchObject([
      { name: "statement", traceId: TRACE, parentId: request.spanId, failed: true, attributes: { calls: 2 } },
      { name: "GET /", traceId: TRACE, parentId: SPAN, failed: false, attributes: { status: 200 } },
    ]);
    for (const { start, end } of spans) {
      expect(Math.abs(start - Date.now())).toBeLessThan(60_000);
      expect(end).toBeGreaterThanOrEqual(start);
    }
  });

  test("records what its parent has recorded, whatever its own share is", () => {
    const { spans, tracer } = traced(1);
    const parent = { traceId: TRACE, spanId: SPAN, sampled: false };
    const request = tracer.begin("request", "server", { parent });
    request.begin("part", "client").end();
    request.end();
    expect(request.traceId).toBe(TRACE);
    expect(spans).toEqual([]);
  });

  test("records its share of what begins here, all or nothing of a trace", () => {
    for (const [ratio, least, most] of [
      [0, 0, 0],
      [0.25, 180, 320],
      [1, 1_000, 1_000],
    ] as const) {
      const { spans, tracer } = traced(ratio);
      for (let n = 0; n < 1_000; n++) tracer.begin("turn", "internal", {}).end();
      expect(spans.length).toBeGreaterThanOrEqual(least);
      expect(spans.length).toBeLessThanOrEqual(most);
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(spans.length);
    }
  });

  test("records what follows from something recorded", () => {
    const { spans, tracer } = traced(0);
    const link = { traceId: TRACE, spanId: SPAN, sampled: true };
    tracer.begin("turn", "consumer", { links: [{ ...link, sampled: false }] }).end();
    tracer.begin("turn", "consumer", { links: [link] }).end();
    expect(spans).toMatchObject([{ links: [link], parentId: null }]);
    expect(spans[0]?.traceId).not.toBe(TRACE);
  });

  test("makes ids that nobody else makes", () => {
    const ids = Array.from({ length: 1_000 }, newTraceId);
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("an exporter", () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  async function exporting({ lingers = true } = {}) {
    const collector: Collector = await startCollector();
    cleanups.push(() => collector.stop());
    const headers = { "x-key": "k" };
    const resource = { "service.name": "test" };
    const exporter = otlpExporter({ url: `${collector.url}/v1/traces`, headers, resource, lingers });
    cleanups.push(() => exporter.stop());
    return { collector, exporter };
  }

  const span = (name: string): Span => ({
    ...{ name, kind: "client", traceId: TRACE, spanId: SPAN, parentId: null, failed: true },
    ...{ start: Date.now() - 5, end: Date.now(), attributes: { text: "t", whole: 7, part: 0.5 } },
    links: [{ traceId: TRACE, spanId: SPAN, sampled: true }],
  });

  test("sends what it was told, by itself, as OTLP in JSON", async () => {
    const { collector, exporter } = await exporting();
    exporter.tell(span("one"));
    exporter.tell(span("two"));
    await until(() => collector.spans.length === 2);
    expect(collector.spans[0]).toEqual({
      ...{ name: "one", kind: 3, traceId: TRACE, spanId: SPAN, parentId: null, failed: true },
      ...{ links: [`${TRACE}-${SPAN}`], attributes: { text: "t", whole: 7, part: 0.5 } },
      resource: { "service.name": "test" },
    });
    expect(collector.headers).toHaveLength(1);
    expect(collector.headers[0]).toMatchObject({ "x-key": "k" });
    expect(collector.faults).toEqual([]);
  });

  test("sends what waits when it is asked to, and at the end", async () => {
    const { collector, exporter } = await exporting({ lingers: false });
    exporter.tell(span("one"));
    await exporter.flush();
    expect(collector.spans).toHaveLength(1);
    exporter.tell(span("two"));
    await exporter.stop();
    expect(collector.spans).toHaveLength(2);
  });

  test("drops what no collector takes, and goes on with what comes later", async () => {
    const { collector, exporter } = await exporting({ lingers: false });
    collector.status = 503;
    exporter.tell(span("refused"));
    await exporter.flush();
    collector.status = 200;
    exporter.tell(span("taken"));
    await exporter.flush();
    expect(collector.spans.map(({ name }) => name)).toEqual(["taken"]);
  });

  test("holds no more than so many: what comes while nobody takes them is dropped", async () => {
    const { collector, exporter } = await exporting({ lingers: false });
    for (let n = 0; n < 5_000; n++) exporter.tell(span(`${n}`));
    await exporter.flush();
    expect(collector.spans).toHaveLength(2_048);
    expect(collector.headers).toHaveLength(4);
  });

  test("waits for nobody at its end: a collector that hangs is given up within a second", async () => {
    const { collector, exporter } = await exporting();
    collector.hangs = true;
    exporter.tell(span("first"));
    await until(() => collector.headers.length === 1);
    exporter.tell(span("second"));
    const began = performance.now();
    await exporter.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("ends at once when there is no collector", async () => {
    const { collector, exporter } = await exporting();
    await collector.stop();
    exporter.tell(span("one"));
    const began = performance.now();
    await exporter.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    cleanups.splice(0);
  });
});

describe("the variables of OpenTelemetry", () => {
  const Variables = z.object(traceVariables);
  const configOf = (env: Record<string, string>) => traceConfigOf(Variables.parse(env), "playhead-edge");

  test("without an endpoint, or with the exporter none, traces are off", () => {
    expect(configOf({})).toBeNull();
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
    expect(configOf({ ...endpoint, OTEL_TRACES_EXPORTER: "none" })).toBeNull();
  });

  test("say where spans go, with which headers, how many, in whose name", () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = "http://collector:4318/";
    expect(configOf({ OTEL_EXPORTER_OTLP_ENDPOINT })).toEqual({
      ...{ url: "http://collector:4318/v1/traces", headers: {}, ratio: 1 },
      resource: { "service.name": "playhead-edge" },
    });
    const more = {
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20eDp5, x-scope = a=b",
      OTEL_TRACES_SAMPLER_ARG: "0.1",
      OTEL_SERVICE_NAME: "edge",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,service.name=other",
    };
    expect(configOf({ OTEL_EXPORTER_OTLP_ENDPOINT, ...more })).toMatchObject({
      headers: { authorization: "Basic eDp5", "x-scope": "a=b" },
      ratio: 0.1,
      resource: { "service.name": "edge", "deployment.environment.name": "test" },
    });
  });

  test.each([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "no pair"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"],
    ["OTEL_TRACES_SAMPLER_ARG", "2"],
    ["OTEL_TRACES_EXPORTER", "zipkin"],
  ])("are refused when they make no sense: %s=%s", (name, value) => {
    expect(Variables.safeParse({ [name]: value }).success).toBe(false);
  });
});
