import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { partyBroadcasts, partyDead, partyLost, partyLostConnection } from "../../db/redis/keys.ts";
import { isNamedIn } from "./members.ts";
import { RoomRefused } from "./room.ts";
import type { RoomStore } from "./room-store.ts";
import type { Rooms } from "./rooms.ts";

const PAGE = 500;

/** What the Redis of the stream holds of a user in parties: rooms, what waits for Postgres, and what was said. */
export function partyTraces({ redis, store, rooms, flush }: TraceDeps): PartyTraces {
  async function isBuffered(party_id: string, name: string): Promise<boolean> {
    for (let after = ""; ; ) {
      const page = await store.buffered(party_id, PAGE, after);
      if (page.some(({ payload }) => payload.includes(name))) return true;
      if (page.length < PAGE) return false;
      after = page.at(-1)?.id ?? "";
    }
  }

  async function settle(user: UserId): Promise<number> {
    let flushed = 0;
    for (const party_id of await store.all()) {
      if (!(await isBuffered(party_id, JSON.stringify(user)))) continue;
      await flush(party_id);
      flushed++;
    }
    return flushed;
  }

  async function leaveRooms(user: UserId): Promise<number> {
    let left = 0;
    for (const party_id of await store.all()) {
      const room = await store.load(party_id);
      if (room === null || !isNamedIn(room, user)) continue;
      try {
        await rooms.tell(party_id, { type: "forget", user_id: user });
        left++;
      } catch (error) {
        if (!(error instanceof RoomRefused) || error.code === "unavailable") throw error;
      }
    }
    return left;
  }

  /** Takes out of a stream what names a user. */
  async function unsay(stream: string, isOf: (text: string) => boolean): Promise<number> {
    let gone = 0;
    for (let from = "-"; ; ) {
      const entries = await redis.xrange(stream, from, "+", "COUNT", PAGE);
      const ids = entries.flatMap(([id, fields]) => (fields.some(isOf) ? [id] : []));
      if (ids.length > 0) gone += await redis.xdel(stream, ...ids);
      const last = entries.at(-1)?.[0];
      if (last === undefined || entries.length < PAGE) return gone;
      from = `(${last}`;
    }
  }

  async function forgetLost(user: UserId): Promise<number> {
    const names = await redis.smembers(partyLost(user));
    return await redis.del(partyLost(user), ...names.map(partyLostConnection));
  }

  return {
    settle,

    async erase(user) {
      // What a room says of it, and what is stored, names nobody.
      const rooms = await leaveRooms(user);
      const flushed = await settle(user);
      const name = JSON.stringify(user);
      const channel = ` ${user}"`;
      const said = await unsay(partyBroadcasts, (text) => text.includes(name) || text.includes(channel));
      const dead = await unsay(partyDead, (text) => text.includes(name));
      return rooms + flushed + said + dead + (await forgetLost(user));
    },

    async *quarantined(user) {
      for (let from = "-"; ; ) {
        const entries = await redis.xrange(partyDead, from, "+", "COUNT", PAGE);
        const texts = entries.map(([, fields]) => fields[fields.indexOf("entry") + 1] ?? "");
        yield texts.filter((text) => text.includes(JSON.stringify(user)));
        const last = entries.at(-1)?.[0];
        if (last === undefined || entries.length < PAGE) return;
        from = `(${last}`;
      }
    },
  };
}

type TraceDeps = {
  /** The one of the stream. */
  redis: Redis;
  store: Pick<RoomStore, "all" | "load" | "buffered">;
  rooms: Pick<Rooms, "tell">;
  flush: (party_id: string) => Promise<void>;
};

export type PartyTraces = {
  /** Brings to Postgres what waits of a user. @returns how many parties that was of. */
  settle: (user: UserId) => Promise<number>;
  /** All of it goes, and what is stored of it is nameless. @returns how much there was. */
  erase: (user: UserId) => Promise<number>;
  /** What Postgres refused of a user, as it was said. */
  quarantined: (user: UserId) => AsyncGenerator<string[]>;
};
