import type { Database } from "../../db/postgres/connect.ts";
import { fold, type OwnedEvent } from "../../ingest/drain/fold.ts";
import { knownPlays } from "../../ingest/drain/known-plays.ts";
import { type Stored, store } from "../../ingest/drain/store.ts";
import { userHash } from "../../ingest/privacy/user-hash.ts";

/** Under which users are remembered who were erased. */
export const hashOf = userHash("a key that only tests know");

/** Makes events durable as one batch. */
export async function storeEvents(
  db: Database,
  events: readonly OwnedEvent[],
  known = knownPlays(Date.now),
): Promise<Stored> {
  return await store(db, fold(events), () => events, known, hashOf);
}
