import { sql } from "drizzle-orm";
import { compareIds, type UserId } from "../../db/contract/ids.ts";
import type { Pauses } from "../../db/contract/pauses.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import type { Folded } from "./fold.ts";

/** What holds for the whole history of a user. */
export type Marks = Pauses & { cleared_at: number };

/**
 * Remembers up to when histories are cleared, where the later time counts, and when they were paused and went on, all
 * of which is kept. Answers with what is remembered now.
 */
export async function storeMarks(
  db: Transaction,
  { cleared, pauses }: Pick<Folded, "cleared" | "pauses">,
): Promise<Map<UserId, Marks>> {
  const users = [...new Set([...cleared.keys(), ...pauses.keys()])].sort(compareIds);
  if (users.length === 0) return new Map();
  const times = (of: keyof Pauses) => users.map((user) => `{${(pauses.get(user)?.[of] ?? []).join()}}`);
  const joined = (name: keyof Pauses) =>
    sql.raw(`ARRAY(SELECT DISTINCT unnest(h.${name} || excluded.${name}) ORDER BY 1)`);
  const clears = users.map((user) => cleared.get(user) ?? 0);
  return marksIn(
    await db.execute(sql`
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
    `),
  );
}

/** The marks of these users; who never cleared or paused a history is left out. */
export async function loadMarks(db: Transaction, users: readonly UserId[]): Promise<Map<UserId, Marks>> {
  return marksIn(
    await db.execute(sql`
      SELECT user_id, cleared_at, paused_at, resumed_at FROM history_users
      WHERE user_id = ANY(${column(users, "text")})
    `),
  );
}

function marksIn(rows: unknown): Map<UserId, Marks> {
  const marks = rows as (Marks & { user_id: UserId })[];
  return new Map(marks.map(({ user_id, ...its }) => [user_id, its]));
}
