import { sql } from "drizzle-orm";
import { compareIds, type UserId } from "../../db/contract/ids.ts";
import type { Pauses } from "../../db/contract/pauses.ts";
import { column } from "../../db/postgres/batch.ts";
import type { HashOf } from "../../db/postgres/erased.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { Folded } from "./fold.ts";

/** What holds for the whole history of a user. */
export type Marks = Pauses & {
  cleared_at: number;
  /** Since when the user is accepted again: 0 of one who was erased and is not, null of one who never was. */
  accepted_at: number | null;
};

/**
 * Remembers up to when histories are cleared, where the later time counts, and when they were paused and went on, all
 * of which is kept. Answers with what is remembered now.
 */
export async function storeMarks(
  db: Transaction,
  { cleared, pauses }: Pick<Folded, "cleared" | "pauses">,
  known: ReadonlyMap<UserId, Marks>,
): Promise<Map<UserId, Marks>> {
  const users = [...new Set([...cleared.keys(), ...pauses.keys()])].sort(compareIds);
  if (users.length === 0) return new Map();
  const times = (of: keyof Pauses) => users.map((user) => `{${(pauses.get(user)?.[of] ?? []).join()}}`);
  const joined = (name: keyof Pauses) =>
    sql.raw(`ARRAY(SELECT DISTINCT unnest(h.${name} || excluded.${name}) ORDER BY 1)`);
  const clears = users.map((user) => cleared.get(user) ?? 0);
  const rows = await db.execute(sql`
    INSERT INTO history_users AS h (user_id, cleared_at, paused_at, resumed_at)
    SELECT user_id, cleared_at, paused_at::bigint[], resumed_at::bigint[]
    FROM unnest(
      ${column(users, "text")}, ${column(clears, "bigint")},
      ${column(times("paused_at"), "text")}, ${column(times("resumed_at"), "text")}
    ) AS i (user_id, cleared_at, paused_at, resumed_at)
    ON CONFLICT (user_id) DO UPDATE SET
      cleared_at = greatest(h.cleared_at, excluded.cleared_at),
      paused_at = ${joined("paused_at")},
      resumed_at = ${joined("resumed_at")}
    RETURNING user_id, cleared_at, paused_at, resumed_at
  `);
  const stored = rows as unknown as (Omit<Marks, "accepted_at"> & { user_id: UserId })[];
  return new Map(
    stored.map(({ user_id, ...its }) => [
      user_id,
      { ...its, accepted_at: known.get(user_id)?.accepted_at ?? null },
    ]),
  );
}

/**
 * The marks of these users, and who of them was erased, as of one moment; who was not, and never cleared or paused a
 * history, is left out.
 */
export async function loadMarks(
  db: Transaction,
  users: readonly UserId[],
  hashOf: HashOf,
): Promise<Map<UserId, Marks>> {
  if (users.length === 0) return new Map();
  const userOf = new Map(users.map((user) => [hashOf(user), user]));
  const rows = await db.execute(sql`
    SELECT user_id, NULL AS user_hash, cleared_at, paused_at, resumed_at, NULL::bigint AS accepted_at
    FROM history_users WHERE user_id = ANY(${column(users, "text")})
    UNION ALL
    SELECT NULL, user_hash, 0, '{}', '{}', accepted_at
    FROM erased WHERE user_hash = ANY(${column([...userOf.keys()], "text")})
  `);
  const marks = new Map<UserId, Marks>();
  for (const { user_id, user_hash, ...its } of rows as unknown as LoadedMarks[]) {
    const user = user_id ?? userOf.get(user_hash);
    if (user === undefined) continue;
    const other = marks.get(user);
    if (user_id !== null) marks.set(user, { ...its, accepted_at: other?.accepted_at ?? null });
    else marks.set(user, { ...(other ?? its), accepted_at: its.accepted_at });
  }
  return marks;
}

/** Of one half, and the other. */
type LoadedMarks = Marks & { user_id: UserId | null; user_hash: string };
