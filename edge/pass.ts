import type { StatusCode } from "hono/utils/http-status";
import type { EdgeContext, IngestAnswer, IngestQuestion } from "./deps.ts";

const ASKED_WITH = ["authorization", "content-type", "if-none-match"];
const ANSWERED_WITH = [
  ...["content-type", "cache-control", "etag", "link", "location", "retry-after", "www-authenticate"],
  "content-disposition",
  ...["ratelimit", "ratelimit-policy"],
];
/** Statuses that never have a body. */
const BODYLESS = new Set([204, 205, 304]);

/** A client's request as a question to ingest: the same method, path and query, and only the headers that matter. */
export function asQuestion(c: EdgeContext, deadlineMs: number): IngestQuestion {
  const { pathname, search } = new URL(c.req.url);
  const headers: Record<string, string> = { "x-request-id": c.var.requestId };
  for (const name of ASKED_WITH) {
    const value = c.req.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return { method: c.req.method, path: pathname + search, headers, deadlineMs, sight: c.var.sight };
}

/** What ingest said, said again. */
export function asResponse(c: EdgeContext, { status, headers, body }: IngestAnswer): Response {
  const bodyless = BODYLESS.has(status) || body.byteLength === 0;
  return c.newResponse(bodyless ? null : body, status as StatusCode, passedHeaders(headers));
}

/** What ingest says, said again while it is still being said. */
export function asStream(c: EdgeContext, { status, headers, body }: Response): Response {
  return c.newResponse(body, status as StatusCode, passedHeaders(headers));
}

/** What of the headers of ingest a client gets. */
function passedHeaders(headers: Headers): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of ANSWERED_WITH) {
    const value = headers.get(name);
    if (value !== null) passed[name] = value;
  }
  return passed;
}
