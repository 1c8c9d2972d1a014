import type { TraceConfig } from "../db/trace/config.ts";
import { type Exporter, otlpExporter } from "../db/trace/exporter.ts";
import { createTracer } from "../db/trace/tracer.ts";
import type { Watching } from "./deps.ts";

/** Traces of a process: their spans are sent every second, and the last ones when it stops. */
export function tracesOfProcess(config: TraceConfig | null): { watching: Watching; stop: Exporter["stop"] } {
  if (config === null) return { watching: {}, stop: async () => {} };
  const { tell, stop } = otlpExporter({ ...config, lingers: true });
  return { watching: { tracer: createTracer(config.ratio, tell) }, stop };
}

/** Traces of a Worker: what a request recorded is sent behind its answer, for nothing lives longer there. */
export function tracesOfWorker(config: TraceConfig | null): Watching {
  if (config === null) return {};
  const { tell, flush } = otlpExporter({ ...config, lingers: false });
  return {
    tracer: createTracer(config.ratio, tell),
    recorded: (c) => c.executionCtx.waitUntil(flush()),
  };
}
