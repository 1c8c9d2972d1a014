import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { unpackProgress } from "../../db/redis/records.ts";
import type { World } from "../servers/world.ts";
import type { Beat } from "./heartbeats.ts";

const SAMPLE = 50;

/** What was timed must have happened: the newest heartbeats are in Postgres, all, and in the views, a sample. */
export async function checkDrained({ sql, redis }: World, beats: readonly Beat[]): Promise<void> {
  const newest = new Map<string, Beat>();
  for (const beat of beats) {
    const key = `${beat.user_id} ${beat.content_id}`;
    const known = newest.get(key);
    if (!known || known.occurred_at < beat.occurred_at) newest.set(key, beat);
  }
  const least = Math.min(...[...newest.values()].slice(0, 1_000).map((beat) => beat.occurred_at));
  const contents = [...new Set(beats.map((beat) => beat.content_id))];
  const [stored] = await sql`
    SELECT count(*)::int AS rows FROM listitems
    WHERE position_at >= ${least} AND content_id = ANY(${contents})`;
  if (stored?.rows !== newest.size) throw new Error(`${stored?.rows} of ${newest.size} rows are in Postgres`);

  for (const beat of [...newest.values()].slice(0, SAMPLE)) {
    const [, , progress] = historyKeys(beat.user_id as UserId);
    const packed = await redis.hget(progress, beat.content_id);
    const seen = packed === null ? null : unpackProgress(beat.content_id as ContentId, packed);
    if (seen?.position_at !== beat.occurred_at)
      throw new Error(`${beat.user_id} does not see ${beat.content_id}`);
  }
}
