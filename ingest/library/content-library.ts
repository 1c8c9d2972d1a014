import type { ListedContent } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { isPoison } from "../../db/postgres/outcome.ts";
import type { Log } from "../observe/log.ts";
import { type LoadedContent, loadContent } from "./load-content.ts";
import { removeContent } from "./remove-content.ts";
import { type StoreOutcome, storeContents } from "./store-contents.ts";

/** The catalogue. Everything throws Refusal `unavailable` while Postgres is out of reach. */
export type ContentLibrary = {
  store(contents: readonly ListedContent[]): Promise<Map<ContentId, StoreOutcome>>;
  load(content_id: ContentId): Promise<LoadedContent | null>;
  /** @returns false when it was not there. */
  remove(content_id: ContentId): Promise<boolean>;
};

/** Long enough for a Postgres that restarts. */
const RETRY_SECONDS = 5;

/** The catalogue as Postgres has it. */
export function contentLibrary({ db, log }: { db: Database; log: Log }): ContentLibrary {
  async function within<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (cause) {
      if (isPoison(cause)) throw cause;
      log.warn({ error: cause }, "the catalogue is out of reach");
      const extra = { cause, retryAfterSeconds: RETRY_SECONDS };
      throw new Refusal("unavailable", "the catalogue is out of reach", extra);
    }
  }

  return {
    store: (contents) => within(storeContents(db, contents)),
    load: (content_id) => within(loadContent(db, content_id)),
    remove: (content_id) => within(removeContent(db, content_id)),
  };
}
