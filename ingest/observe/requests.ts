import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { readTraceparent } from "../../db/contract/trace-context.ts";
import { newTraceId } from "../../db/trace/tracer.ts";
import type { IngestEnv } from "../deps.ts";
import { requestId } from "../request-id.ts";
import { within } from "./ambient.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Tracing } from "./tracing.ts";

/** What takes longer than this is worth a line of its own. */
const SLOW_MS = { read: 50, write: 250 };
/** In an outage every request is, and to write all these lines would slow down what still works. */
const LINES_A_SECOND = 50;

/**
 * Sees every request: its ids are on every line that is logged meanwhile, its time is measured, and it is a span when
 * somebody records the trace. At level debug each leaves a line; else only what failed or was slow, 50 in a second.
 *
 * Nothing of what a client sent is in such a line: the route stands there as it is written in `http.ts`.
 */
export function seen({ log, metrics, tracing, newId }: SeenDeps): MiddlewareHandler<IngestEnv> {
  const mayTell = sparing(LINES_A_SECOND);
  return async function seen(c, next) {
    const parent = readTraceparent(c.req.header("traceparent"));
    const span = tracing?.tracer.begin(c.req.method, "server", { parent });
    const request_id = requestId(c, newId);
    c.set("requestId", request_id);
    const fields = { request_id, trace_id: span?.traceId ?? parent?.traceId ?? newTraceId() };

    const missed = c.req.header("playhead-cache");
    if (missed === "cold" || missed === "away") metrics.asked(missed);
    const answered = metrics.requestBegan();
    const began = performance.now();
    await within({ fields, span: span?.sampled ? span : null }, async () => {
      await next();
      const { method } = c.req;
      const kind = method === "GET" || method === "HEAD" ? "read" : "write";
      const { status } = c.res;
      const ms = performance.now() - began;
      answered(kind, status, ms);

      const worth = status >= 500 ? "warn" : ms > SLOW_MS[kind] ? "info" : null;
      const level = worth && mayTell() ? worth : "debug";
      if (!span?.sampled && !log.isLevelEnabled(level)) return;
      const route = routePath(c, -1);
      log[level]({ method, route, status, ms: Math.round(ms) }, "answered");
      const attributes = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
      };
      span?.end({ name: `${method} ${route}`, failed: status >= 500, attributes });
    });
  };
}

/** True so many times a second. */
function sparing(times: number): () => boolean {
  let second = 0;
  let told = 0;
  return () => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) told = 0;
    second = now;
    return told++ < times;
  };
}

type SeenDeps = { log: Log; metrics: Metrics; tracing: Tracing; newId: () => string };
