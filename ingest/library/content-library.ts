import type { ListedContent } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { Log } from "../observe/log.ts";
import { type LoadedContent, loadContent } from "./load-content.ts";
import { loadRollups } from "./load-rollups.ts";
import { removeContent } from "./remove-content.ts";
import { type StoreOutcome, storeContents } from "./store-contents.ts";
import { withinReach } from "./within-reach.ts";

/** The catalogue. Everything throws Refusal `unavailable` while Postgres is out of reach. */
export type ContentLibrary = {
  store(contents: readonly ListedContent[]): Promise<Map<ContentId, StoreOutcome>>;
  load(content_id: ContentId): Promise<LoadedContent | null>;
  /** @returns false when it was not there. */
  remove(content_id: ContentId): Promise<boolean>;
  /** What its plays come to, by measure; null when nobody watched it and it is not there. */
  rollups(content_id: ContentId): Promise<Map<string, number> | null>;
};

/** The catalogue as Postgres has it. */
export function contentLibrary({ db, catalogueMoved, log }: ContentLibraryDeps): ContentLibrary {
  const within = <T>(asking: Promise<T>) => withinReach(log, "the catalogue", asking);

  async function store(contents: readonly ListedContent[]): Promise<Map<ContentId, StoreOutcome>> {
    const outcomes = await within(storeContents(db, contents));
    if ([...outcomes.values()].some((outcome) => outcome !== "unchanged")) await moved();
    return outcomes;
  }

  async function remove(content_id: ContentId): Promise<boolean> {
    const removed = await within(removeContent(db, content_id));
    if (removed) await moved();
    return removed;
  }

  /** A change is in the queue of those that are carried, and told of again from there. */
  async function moved(): Promise<void> {
    try {
      await catalogueMoved();
    } catch (error) {
      log.warn({ error }, "catalogue: Redis is away, what comes next learns of the change later");
    }
  }

  return {
    store,
    load: (content_id) => within(loadContent(db, content_id)),
    remove,
    rollups: (content_id) => within(loadRollups(db, content_id)),
  };
}

type ContentLibraryDeps = {
  db: Database;
  /** Told after every change, once it is committed. */
  catalogueMoved: () => Promise<void>;
  log: Log;
};
