import { readTraceparent, type TraceContext } from "../../db/contract/trace-context.ts";
import type { TraceConfig } from "../../db/trace/config.ts";
import { otlpExporter } from "../../db/trace/exporter.ts";
import { createTracer, type Tracer } from "../../db/trace/tracer.ts";

/** Null when traces are off: then there is nobody to ask for a span. */
export type Tracing = { tracer: Tracer; stop: () => Promise<void> } | null;

export function createTracing(config: TraceConfig | null): Tracing {
  if (config === null) return null;
  const { tell, stop } = otlpExporter({ ...config, lingers: true });
  return { tracer: createTracer(config.ratio, tell), stop };
}

/** Links of one span at most; a turn may hold thousands of requests. */
const LINKS = 128;
/** Within a JSON string its quotes would be escaped: no value that a client sent looks like this. */
const MEMBER = /"traceparent":"([^"\\]{1,64})"/g;

/**
 * Where the entries of a turn come from, as far as somebody records it. They are looked for in the text, because the
 * span of the turn is to begin before its entries are decoded.
 */
export function originsOf(entries: readonly { payload: string }[]): TraceContext[] {
  const origins: TraceContext[] = [];
  for (const { payload } of entries) {
    for (const [, header] of payload.matchAll(MEMBER)) {
      const origin = readTraceparent(header);
      if (origin) origins.push(origin);
      if (origins.length === LINKS) return origins;
    }
  }
  return origins;
}
