import type { Completion } from "../../db/contract/cloud-events.ts";
import type { WatchEvent } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { isWithin, pausesOf } from "../../db/contract/pauses.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { eraseHistory } from "../../db/postgres/erase-rows.ts";
import type { HashOf } from "../../db/postgres/erased.ts";
import type { StoredRow } from "../../db/postgres/rows.ts";
import { emptyForgotten, loadRowsOf } from "./empty-forgotten.ts";
import { type Folded, fold, type OwnedEvent } from "./fold.ts";
import { forgetPlays } from "./forget-plays.ts";
import type { KnownPlays } from "./known-plays.ts";
import { storeBatch } from "./store-batch.ts";
import { loadMarks, type Marks, storeMarks } from "./store-marks.ts";

/** What a turn has to tell: the current row of every key that it touched, the clears that it met, and completions. */
export type Stored = { rows: StoredRow[]; cleared: Map<UserId, number>; completions: Completion[] };

/**
 * Makes a folded batch durable, but for what happened in a pause, and what erased users did.
 *
 * Clears and pauses are marked before rows are emptied, and a turn looks for marks again after its rows are committed:
 * of a mark and a turn that race, at least one sees the other, so no row escapes both. So it is with erasures: who is
 * marked as erased meanwhile is erased here once more. Each transaction may be repeated.
 *
 * @param eventsOf the events of the batch, asked for only when some of them are to be left out.
 */
export async function store(
  db: Database,
  folded: Folded,
  eventsOf: () => readonly OwnedEvent[],
  known: KnownPlays,
  hashOf: HashOf,
): Promise<Stored> {
  const users = usersOf(folded);
  const found = await loadMarks(db, users, hashOf);
  const theirs = () => eventsOf().filter(({ user_id, event }) => !isErased(found.get(user_id), event));
  const accepted = [...found.values()].some(({ accepted_at }) => accepted_at !== null)
    ? fold(theirs())
    : folded;

  const marked = await storeMarks(db, accepted, found);
  const emptied = await empty(db, marked);
  const before = new Map([...found, ...marked]);
  const kept = withoutPaused(accepted, before, theirs);
  const { rows: stored, completions } = await storeBatch(db, kept, before, known);

  const after = await loadMarks(db, users, hashOf);
  const gone = new Set(users.filter((user) => after.get(user)?.accepted_at === 0));
  for (const user of gone) if (before.get(user)?.accepted_at !== 0) await eraseHistory(db, user);

  const clearedAt = ({ user_id }: StoredRow) => after.get(user_id)?.cleared_at ?? 0;
  const covered = stored.filter((row) => row.oldest_at !== null && row.oldest_at <= clearedAt(row));
  const unlike = (is: typeof isSame) =>
    [...after].flatMap(([user, marks]) => (is(marks, before.get(user)) ? [] : [user]));
  const caught = new Set([...covered.map((row) => row.user_id), ...unlike(isSame)]);
  const late = await empty(db, new Map([...after].filter(([user]) => caught.has(user))));

  // A row that the mark covers needs no trace in the views: the mark itself keeps it out.
  const told = stored.filter((row) => (row.watched_at || goneAt(row)) > clearedAt(row));
  // Whatever a pause took away, this time or when the batch came before.
  const pausedSince = new Map<UserId, number>();
  for (const [user, its] of accepted.pauses) {
    pausedSince.set(user, Math.min(...its.paused_at, ...its.resumed_at));
  }
  for (const user of unlike(hasSamePauses)) pausedSince.set(user, 0);
  const rest = await loadRowsOf(db, pausedSince);
  const cleared = [...after, ...marked].map(([user, { cleared_at }]) => [user, cleared_at] as const);
  return {
    rows: [...told, ...emptied, ...late, ...rest].filter(({ user_id }) => !gone.has(user_id)),
    cleared: new Map(cleared.filter(([user, at]) => at > 0 && !gone.has(user))),
    completions: completions.filter(({ user_id }) => !gone.has(user_id)),
  };
}

function usersOf({ items, cleared, pauses }: Folded): UserId[] {
  return [...new Set([...items.map(({ user_id }) => user_id), ...cleared.keys(), ...pauses.keys()])];
}

/** Did an erased user do it, before being accepted again? */
function isErased(marks: Marks | undefined, event: WatchEvent): boolean {
  const since = marks?.accepted_at ?? null;
  return since !== null && (since === 0 || event.occurred_at < since);
}

/** When a row that is not shown was forgotten, or marked as not watched. */
function goneAt({ deleted_at, said }: StoredRow): number {
  return Math.max(deleted_at, said?.[1] ?? 0);
}

async function empty(db: Database, marks: ReadonlyMap<UserId, Marks>): Promise<StoredRow[]> {
  const rows = await emptyForgotten(db, [...marks.keys()]);
  await forgetPlays(db, marks);
  return rows;
}

/** The batch without what happened in a pause. */
function withoutPaused(
  folded: Folded,
  marks: ReadonlyMap<UserId, Marks>,
  eventsOf: () => readonly OwnedEvent[],
): Folded {
  const pauses = new Map([...marks].map(([user, its]) => [user, pausesOf(its)] as const));
  if ([...pauses.values()].every((stretches) => stretches.length === 0)) return folded;
  return fold(
    eventsOf().filter(
      ({ user_id, event }) =>
        KEPT_IN_A_PAUSE.has(event.type) || !isWithin(pauses.get(user_id) ?? [], event.occurred_at),
    ),
  );
}

/** To forget is always possible. */
const KEPT_IN_A_PAUSE: ReadonlySet<WatchEvent["type"]> = new Set(["forget", "clear", "pause"]);

/** Marks only ever grow. */
function isSame(marks: Marks, others: Marks | undefined): boolean {
  return marks.cleared_at === (others?.cleared_at ?? 0) && hasSamePauses(marks, others);
}

function hasSamePauses(marks: Marks, others: Marks | undefined): boolean {
  return (
    marks.paused_at.length === (others?.paused_at.length ?? 0) &&
    marks.resumed_at.length === (others?.resumed_at.length ?? 0)
  );
}
