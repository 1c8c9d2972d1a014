import { type ContentLineResult, MAX_LINE_BYTES } from "../../db/contract/bulk.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { problem, Refusal } from "../../db/contract/refusals.ts";
import { parseJson } from "../../db/contract/requests.ts";
import type { IngestDeps } from "../deps.ts";
import { type Examined, examineContent } from "./examine-content.ts";
import type { Line } from "./line-splitter.ts";
import type { StoreOutcome } from "./store-contents.ts";
import { takeBatches } from "./take-batches.ts";

/**
 * Stores contents that come line by line, and says of each, in their order, what became of it while others are still
 * to come. Lines of one id that come together are stored as the last of them says, and answered alike.
 *
 * When the store fails, or this process stops, the last thing said is which line is the first that is not stored:
 * to send them all again is harmless.
 */
export async function* contentLines(
  { contents, log, stopping }: Pick<IngestDeps, "contents" | "log" | "stopping">,
  body: ReadableStream<Uint8Array>,
  requestId: string,
): AsyncGenerator<Uint8Array> {
  let next = 1;
  for await (const batch of takeBatches(body, stopping)) {
    const lines = batch.map(examineLine);
    let outcomes: Map<ContentId, StoreOutcome>;
    try {
      outcomes = await contents.store(lines.flatMap((its) => ("content" in its ? [its.content] : [])));
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) log.error({ error: thrown, request_id: requestId }, "request failed");
      const first = lines.findIndex((its) => "content" in its);
      const before = lines.slice(0, first).map((its) => resultOf(its));
      yield ndjson([...before, failure(lines[first]?.line ?? next, thrown, requestId)]);
      return;
    }
    yield ndjson(lines.map((its) => resultOf(its, outcomes)));
    next = (lines.at(-1)?.line ?? 0) + 1;
  }
  if (!stopping.aborted) return;
  const refusal = new Refusal("unavailable", "this server stops; send the rest again");
  yield ndjson([failure(next, refusal, requestId)]);
}

function examineLine({ line, bytes }: Line): ExaminedLine {
  const reject = (message: string): ExaminedLine => {
    return { line, rejected: { content_id: null, status: "rejected", errors: [{ path: "", message }] } };
  };
  if (bytes === null) return reject(`a line has ${MAX_LINE_BYTES} bytes at most`);
  try {
    return { line, ...examineContent(parseJson(bytes)) };
  } catch {
    return reject("the line is not JSON in UTF-8");
  }
}

function resultOf(its: ExaminedLine, outcomes?: Map<ContentId, StoreOutcome>): ContentLineResult {
  const { line } = its;
  if ("rejected" in its) return { line, ...its.rejected };
  const { content_id } = its.content;
  return { line, content_id, status: outcomes?.get(content_id) ?? "unchanged" };
}

/** The refusal, in the place of a result: its code says what went wrong. */
function failure(line: number, thrown: unknown, requestId: string): object {
  return { ...JSON.parse(problem(thrown, requestId).body), line, status: "failed" };
}

function ndjson(results: readonly object[]): Uint8Array {
  return encoder.encode(results.map((result) => `${JSON.stringify(result)}\n`).join(""));
}

const encoder = new TextEncoder();

type ExaminedLine = { line: number } & Examined;
