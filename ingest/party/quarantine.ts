import type { Redis } from "ioredis";
import { partiesDue, partyBuffer, partyDead } from "../../db/redis/keys.ts";
import { replayPartyRecord } from "../../db/redis/party-scripts.ts";
import { runScript } from "../redis.ts";

/** What Postgres refused of parties, for a person to look at. */
export function partyQuarantine(redis: Redis): PartyQuarantine {
  return {
    async quarantined(max) {
      const entries = await redis.xrange(partyDead, "-", "+", "COUNT", max);
      return entries.map(([id, fields]) => ({
        id,
        payload: fieldOf(fields, "entry"),
        reason: fieldOf(fields, "reason"),
        events: 1,
      }));
    },

    async replay(id) {
      const [entry] = await redis.xrange(partyDead, id, id);
      if (!entry) return false;
      const buffer = fieldOf(entry[1], "buffer");
      const party_id = buffer.slice(partyBuffer("").indexOf("}"), -1);
      return (
        (await runScript(redis, replayPartyRecord, [partyDead, buffer, partiesDue], [id, party_id])) === 1
      );
    },

    drop: async (id) => (await redis.xdel(partyDead, id)) === 1,
  };
}

function fieldOf(fields: readonly string[], name: string): string {
  const at = fields.indexOf(name);
  return at < 0 ? "" : (fields[at + 1] ?? "");
}

export type PartyQuarantine = {
  /** Oldest first. */
  quarantined(max: number): Promise<{ id: string; payload: string; reason: string; events: number }[]>;
  /** Puts a record back into its buffer, from where it goes to Postgres soon. @returns whether it was there. */
  replay(id: string): Promise<boolean>;
  /** Throws it away. @returns whether it was there. */
  drop(id: string): Promise<boolean>;
};
