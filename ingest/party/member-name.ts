import { sql } from "drizzle-orm";
import type { UserId } from "../../db/contract/ids.ts";
import type { Database } from "../../db/postgres/connect.ts";
import type { Log } from "../observe/log.ts";

/** What a member is called, by the profile; null when there is no name or it cannot be read: nobody stays away for that. */
export function memberName(db: Database, log: Log): (user: UserId) => Promise<string | null> {
  return async function nameOf(user) {
    try {
      const rows = await db.execute<{ name: string | null }>(
        sql`SELECT name FROM profiles WHERE user_id = ${user}`,
      );
      return rows[0]?.name ?? null;
    } catch (error) {
      log.warn({ error }, "the name of a member cannot be read");
      return null;
    }
  };
}
