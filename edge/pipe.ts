import type { PipeToIngest } from "./deps.ts";
import { IngestUnreachable } from "./ingest.ts";

/**
 * Ingest over HTTP, for what is too long to be held: it begins to answer while the body still comes, and neither is
 * kept. Whoever gives up one side of it ends the other.
 *
 * The deadline is for the beginning of the answer, from the first bytes on: before those some runtimes do not even
 * connect. After it everybody may take their time.
 */
export function pipeAt(url: string): PipeToIngest {
  return async function pipeToIngest({ method, path, headers, body, deadlineMs }) {
    const givingUp = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let begun = false;
    const begin = () => {
      if (begun) return;
      begun = true;
      timer = setTimeout(() => givingUp.abort(new DOMException("no answer", "TimeoutError")), deadlineMs);
    };

    let response: Response;
    try {
      const init = { method, headers, redirect: noRedirect(), signal: givingUp.signal };
      const watched = body?.pipeThrough(noticing(begin));
      if (!watched) begin();
      response = await fetch(`${url}${path}`, watched ? { ...init, body: watched, duplex: "half" } : init);
    } catch (error) {
      throw new IngestUnreachable(error instanceof Error ? error.name : "unknown");
    } finally {
      begun = true;
      clearTimeout(timer);
    }
    if (response.status === 502 || response.status === 504) {
      await response.body?.cancel();
      throw new IngestUnreachable(`status ${response.status}`);
    }
    return response;
  };
}

/**
 * Ingest never redirects. Of all ways to say so Node has to be told "error", or it keeps the whole body, to send it
 * again elsewhere (nodejs/undici#4058); workerd does not know that one, and keeps nothing.
 */
function noRedirect(): "error" | "manual" {
  try {
    return new Request("http://ingest", { redirect: "error" }).redirect === "error" ? "error" : "manual";
  } catch {
    return "manual";
  }
}

/** Lets everything through, and tells when something comes or nothing will. */
function noticing(notice: () => void): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, out) {
      notice();
      out.enqueue(chunk);
    },
    flush: notice,
  });
}
