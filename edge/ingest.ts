import type { AskIngest } from "./deps.ts";

/**
 * Ingest over HTTP. The whole answer is read within the deadline, so that what reaches the client is complete.
 * 502 and 504 are what a proxy says for an ingest that is not there.
 */
export function ingestAt(url: string): AskIngest {
  return async function askIngest({ method, path, headers, body, deadlineMs }) {
    let answer: Awaited<ReturnType<AskIngest>>;
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers,
        ...(body ? { body } : {}),
        redirect: "manual",
        signal: AbortSignal.timeout(deadlineMs),
      });
      answer = { status: response.status, headers: response.headers, body: await response.arrayBuffer() };
    } catch (error) {
      throw new IngestUnreachable(error instanceof Error ? error.name : "unknown");
    }
    if (answer.status === 502 || answer.status === 504)
      throw new IngestUnreachable(`status ${answer.status}`);
    return answer;
  };
}

/** Ingest did not answer in time, or nobody is there to. It may have done what it was asked all the same. */
export class IngestUnreachable extends Error {
  override readonly name = "IngestUnreachable";
}
