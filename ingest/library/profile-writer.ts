import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { putInOutbox } from "../../db/postgres/outbox.ts";
import { inTransaction, type Transaction } from "../../db/postgres/transaction.ts";
import type { Log } from "../observe/log.ts";
import type { LoadedView, ProfileProjection } from "../views/profile-views.ts";
import { withinTime } from "../within-time.ts";
import { beginUser, lockUser, nextVersion } from "./lock-user.ts";
import { withinReach } from "./within-reach.ts";

/** How long a write waits to be visible before it is answered as durable only. */
const PROJECT_TIMEOUT_MS = 1_000;

/** A new id, and now in epoch milliseconds. */
export type Occurrence = { id: string; at: number };

/** What a write changed: nothing, when there is no event. */
export type Change<Row> = { event: CloudEvent | null; created: boolean; row: Row };

/** What a write did: `seen` when the next read shows it anywhere. */
export type Written<Its> = { seen: boolean; created: boolean; its: Its };

/** One kind of write. */
export type ProfileWrite<Found, Row, Its> = {
  /** Refuses who was erased, or lets them in again. */
  admit: (tx: Transaction, user: UserId) => Promise<void>;
  /** What becomes of somebody of whom there is nothing yet; null when this may be the first. */
  ofNobody: Change<Row> | null;
  store: (tx: Transaction, occurrence: Occurrence) => Promise<Change<Row>>;
  /** The view that shows it. */
  load: (tx: Transaction, user: UserId) => Promise<LoadedView<Found>>;
  answer: (stored: { row: Row; found: Found }, tx: Transaction) => Its | Promise<Its>;
};

/**
 * A write of what belongs to a user beside the history: stored in one transaction with the event that tells of it, then
 * put into its view. What changes nothing has no event and no version, and is put into the view all the same: whoever
 * tries again mends what a crash left old.
 *
 * Writes of one user take turns by the lock of the profile's row, which is taken before everything else: versions grow,
 * and nobody waits in a circle.
 *
 * @throws Refusal `unavailable` while Postgres is out of reach.
 */
export function profileWriter({ db, views, clock, newId, log }: ProfileWriterDeps) {
  return async function write<Found, Row, Its>(
    user: UserId,
    { admit, ofNobody, store, load, answer }: ProfileWrite<Found, Row, Its>,
  ): Promise<Written<Its>> {
    const work = inTransaction(db, async (tx) => {
      const known = await lockUser(tx, user);
      if (!known && ofNobody === null) await beginUser(tx, user);
      await admit(tx, user);
      // Without the lock nothing is looked for: somebody may be writing it just now.
      const there = known || ofNobody === null;
      const { event, created, row } = there ? await store(tx, { id: newId(), at: clock() }) : ofNobody;
      if (event) {
        await nextVersion(tx, user);
        await putInOutbox(tx, [event]);
      }
      const view = await load(tx, user);
      return { view, created, its: await answer({ row, found: view.found }, tx) };
    });
    const { view, created, its } = await withinReach(log, "the profile", work);
    return { created, its, seen: await project(view) };
  };

  async function project(view: LoadedView<unknown>): Promise<boolean> {
    const projected = views.put(view).then(() => true);
    void projected.catch((error) => log.warn({ error }, "profile: durable, and not to be seen yet"));
    return await withinTime(projected, PROJECT_TIMEOUT_MS);
  }
}

export type ProfileWriterDeps = {
  db: Database;
  views: Pick<ProfileProjection, "put">;
  clock: () => number;
  newId: () => string;
  log: Log;
};
