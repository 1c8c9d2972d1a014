import { routePath } from "hono/route";
import { readTraceparent, type TraceContext, traceparent } from "../db/contract/trace-context.ts";
import type { OpenSpan } from "../db/trace/span.ts";
import { newTraceId, randomHex, unsampled } from "../db/trace/tracer.ts";
import type { EdgeContext, EdgeDeps, EdgeMiddleware, IngestQuestion, Sight, Watching } from "./deps.ts";

/**
 * Sees every request: how long it took, what of that was Redis and what ingest, and whether the views knew. The client
 * reads it in `Server-Timing`; whoever counts or records traces is told.
 *
 * In a Worker clocks stand still while it works: what is measured there is what it waits for.
 */
export function sight({ watching = {} }: EdgeDeps): EdgeMiddleware {
  return async function sight(c, next) {
    const began = performance.now();
    const { tracer, answered, recorded } = PROBES.has(c.req.path) ? UNWATCHED : watching;
    const parent = readTraceparent(c.req.header("traceparent"));
    const { method } = c.req;
    const span = tracer?.begin(method, "server", { parent }) ?? ofNobody(parent);
    const its: Sight = { span, waited: {} };
    c.set("sight", its);
    await next();

    const ms = performance.now() - began;
    // Not by `c.header`: once there is an answer, that would leave the fast path of Node's adapter.
    c.res.headers.set("Server-Timing", serverTiming(ms, its));
    const { status } = c.res;
    answered?.({
      kind: method === "GET" || method === "HEAD" ? "read" : "write",
      status,
      ms,
      cache: its.cache,
    });
    if (!tracer || !span.sampled) return;
    const route = routePath(c, -1);
    const attributes = {
      "http.request.method": method,
      "http.route": route,
      "http.response.status_code": status,
    };
    span.end({ name: `${method} ${route}`, failed: status >= 500, attributes });
    recorded?.(c);
  };
}

/** Whoever asks for these every few seconds is no client, and would make reads look faster than they are. */
const PROBES = new Set(["/health", "/ready"]);
const UNWATCHED: Watching = {};

/** What a line of the log says of the request that it belongs to. */
export function idsOf(c: EdgeContext): { request_id: string; trace_id: string } {
  return { request_id: c.var.requestId, trace_id: c.var.sight.span.traceId };
}

/** What a request waits for, as a part of it. */
export async function timed<T>(
  { span, waited }: Sight,
  what: keyof Sight["waited"],
  ask: (part: OpenSpan) => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const part = span.begin(what, "client");
  let failed = true;
  try {
    const answer = await ask(part);
    failed = false;
    return answer;
  } finally {
    part.end({ failed });
    waited[what] = (waited[what] ?? 0) + performance.now() - began;
  }
}

/** Ingest, seen: it goes on with the trace, and is told when it is asked because the views could not answer. */
export function seenIngest({ ingest, pipe }: EdgeDeps): Pick<EdgeDeps, "ingest" | "pipe"> {
  return {
    ingest: ({ sight, ...question }) =>
      sight ? timed(sight, "ingest", (part) => ingest(passedOn(question, sight, part))) : ingest(question),
    pipe: ({ sight, ...question }) =>
      sight ? timed(sight, "ingest", (part) => pipe(passedOn(question, sight, part))) : pipe(question),
  };
}

function passedOn<Question extends Pick<IngestQuestion, "headers">>(
  question: Question,
  sight: Sight,
  part: OpenSpan,
): Question {
  // Redis answered, and ingest is asked all the same: then that was not enough.
  if (sight.cache === "hit") sight.cache = "cold";
  const because: Record<string, string> = sight.cache ? { "playhead-cache": sight.cache } : {};
  return { ...question, headers: { ...question.headers, traceparent: traceparent(part), ...because } };
}

function serverTiming(ms: number, { waited, cache }: Sight): string {
  let said = `edge;dur=${rounded(ms)}`;
  if (waited.redis !== undefined) said += `, redis;dur=${rounded(waited.redis)}`;
  if (waited.ingest !== undefined) said += `, ingest;dur=${rounded(waited.ingest)}`;
  if (cache !== undefined) said += `, cache;desc=${cache}`;
  return said;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Nobody here records it: what others began goes on as it came, and ids of our own are made when somebody asks. */
function ofNobody(parent: TraceContext | null): OpenSpan {
  if (parent) return unsampled(parent);
  let traceId: string | undefined;
  const its: OpenSpan = {
    get traceId() {
      traceId ??= newTraceId();
      return traceId;
    },
    get spanId() {
      return randomHex(8);
    },
    sampled: false,
    begin: () => its,
    end: () => {},
  };
  return its;
}
