import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";
import type { Log } from "../observe/log.ts";

/** Everything that is kept of a user. A document that breaks off takes its connection with it: half is never whole. */
export function getExport({ privacy, log }: IngestDeps): IngestHandler {
  return async function getExport(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const document = ofPlainErrors(await privacy.export(user_id), log);
    return c.newResponse(ReadableStream.from(document), 200, {
      "content-type": "application/json",
      "content-disposition": 'attachment; filename="playhead-export.json"',
      "cache-control": "private, no-store, no-transform",
      vary: "Authorization, Origin",
    });
  };
}

/** Whoever sends the document prints what ends it early, and a store's error holds what it was asked. */
async function* ofPlainErrors(pieces: AsyncIterable<Uint8Array>, log: Log): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    log.error({ error }, "an export broke off");
    throw new Error("an export broke off");
  }
}
