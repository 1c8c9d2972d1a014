import { sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import type { Pauses } from "../../db/contract/pauses.ts";
import type { Database } from "../../db/postgres/connect.ts";

/** When a user paused the history, and when it went on. */
export async function loadPauses(db: Database, user: UserId): Promise<Pauses> {
  const rows = await db.execute(sql`SELECT paused_at, resumed_at FROM history_users WHERE user_id = ${user}`);
  return (rows as unknown as Pauses[])[0] ?? { paused_at: [], resumed_at: [] };
}
