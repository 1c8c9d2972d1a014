import type { Attributes, Span, SpanKind } from "./span.ts";

/** OTLP's numbers. */
const KINDS: Record<SpanKind, number> = { internal: 1, server: 2, client: 3, consumer: 5 };
const FAILED = 2;

/** Spans as the body of an OTLP/HTTP request in JSON: `ExportTraceServiceRequest` of opentelemetry-proto. */
export function otlpBody(spans: readonly Span[], resource: Attributes): string {
  const scopeSpans = [{ scope: { name: "playhead" }, spans: spans.map(otlpSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: keyValues(resource) }, scopeSpans }] });
}

function otlpSpan({ name, kind, traceId, spanId, parentId, start, end, failed, attributes, links }: Span) {
  return {
    ...{ traceId, spanId, name, kind: KINDS[kind] },
    ...(parentId === null ? {} : { parentSpanId: parentId }),
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(end),
    attributes: keyValues(attributes),
    links: links.map(({ traceId, spanId }) => ({ traceId, spanId })),
    status: failed ? { code: FAILED } : {},
  };
}

/** Beyond 2^53 there is only text. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}

function anyValue(value: string | number) {
  if (typeof value === "string") return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function keyValues(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: anyValue(value),
  }));
}
