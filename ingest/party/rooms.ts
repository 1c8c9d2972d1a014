import { setTimeout as delay } from "node:timers/promises";
import type { UserId } from "../../db/contract/ids.ts";
import type { Log } from "../observe/log.ts";
import type { PartyMetrics } from "../observe/metrics-party.ts";
import { broadcastsOf } from "./broadcasts.ts";
import { recordOf } from "./records.ts";
import { reduce } from "./reduce.ts";
import { openRoom, type Room, type RoomMessage, RoomRefused } from "./room.ts";
import type { PartyRecord, RoomStore, Written } from "./room-store.ts";

/** Messages that are told in one step. */
const AT_ONCE = 50;
/** Somebody else writes to the same room, again and again: whoever told it this has to tell it again. */
const TRIES = 20;
/** Rooms that are remembered as they were last seen, so that most messages need not load theirs. */
const REMEMBERED = 5_000;
/** Records of one party that are read in one round trip. */
const PAGE = 1_000;

/**
 * The rooms of parties, wherever their members are served. A message is reduced with the room as it was last seen; it
 * takes effect, is kept and is said in one step, if the room is still that one. Else all of it is done again.
 *
 * Messages to one room are told in the order in which they come here, several in one step while one is under way.
 */
export function partyRooms(deps: RoomsDeps): Rooms {
  const { store, clock, newId, process, metrics, log, moved } = deps;
  const lines = new Map<string, Told[]>();
  const seen = new Map<string, Room>();

  async function tell(party_id: string, message: RoomMessage): Promise<Room> {
    const { promise, resolve, reject } = Promise.withResolvers<Room>();
    const told = { message, asked: clock(), resolve, reject };
    const line = lines.get(party_id);
    if (line) line.push(told);
    else {
      const own = [told];
      lines.set(party_id, own);
      void work(party_id, own);
    }
    return await promise;
  }

  async function work(party_id: string, line: Told[]): Promise<void> {
    while (line.length > 0) {
      const batch = line.splice(0, AT_ONCE);
      try {
        await advance(party_id, batch);
      } catch (error) {
        // Nothing is known of the room any more; what was said may have been said.
        seen.delete(party_id);
        for (const { reject } of batch) reject(error);
      }
    }
    lines.delete(party_id);
  }

  async function advance(party_id: string, batch: readonly Told[]): Promise<void> {
    let room = seen.get(party_id) ?? null;
    let fresh = false;
    for (let tries = 0; tries < TRIES; tries++) {
      if (room === null) {
        room = await store.load(party_id);
        if (room === null) throw new RoomRefused("not_open");
        fresh = true;
      }
      const outcome = take(party_id, room, batch);
      if (!fresh && outcome.doubtful) {
        room = null;
        continue;
      }
      const nothing = outcome.room === room && outcome.kept.length === 0 && outcome.said.length === 0;
      const advanced = nothing ? null : await store.advance(party_id, room, outcome);
      if (advanced === null || advanced.state === "set") {
        remember(party_id, outcome.room);
        conclude(party_id, outcome, advanced?.buffered ?? 0);
        return;
      }
      if (advanced.state === "gone") throw new RoomRefused("not_open");
      room = advanced.room;
      fresh = true;
      if (tries > 2) await delay(Math.random() * 5 * tries);
    }
    throw new RoomRefused("unavailable");
  }

  /** What comes of messages, one after the other. It is doubtful when another room might have made more of them. */
  function take(party_id: string, before: Room, batch: readonly Told[]): Taken {
    const now = clock();
    const taken: Taken = {
      room: before,
      kept: [],
      said: [],
      answers: [],
      joined: 0,
      left: 0,
      doubtful: false,
    };
    for (const { message, asked, resolve, reject } of batch) {
      try {
        const { room, records, sends } = reduce(taken.room, message, now);
        if (room === taken.room && records.length === 0 && sends.length === 0) taken.doubtful = true;
        taken.said.push(...broadcastsOf(party_id, taken.room, message, sends, { by: process, asked }));
        for (const record of records) taken.kept.push(recordOf(party_id, record, newId));
        taken.room = room;
        for (const { event } of sends) {
          if (event === "member_joined") taken.joined++;
          if (event === "member_left") taken.left++;
        }
        taken.answers.push(() => resolve(room));
      } catch (error) {
        taken.doubtful = true;
        taken.answers.push(() => reject(error));
      }
    }
    return taken;
  }

  function conclude(party_id: string, { room, answers, joined, left }: Taken, buffered: number): void {
    metrics.came(joined);
    metrics.went(left);
    for (const answer of answers) answer();
    moved(party_id, room, buffered);
  }

  function remember(party_id: string, room: Room): void {
    seen.delete(party_id);
    if (room.ended) return;
    seen.set(party_id, room);
    if (seen.size > REMEMBERED) seen.delete(seen.keys().next().value ?? "");
  }

  return {
    tell,

    async open({ party_id, ...its }) {
      const now = clock();
      const room = openRoom(its, now);
      const opened = {
        at: now,
        media_time: 0,
        user_id: its.owner_id,
        kind: "log",
        event: "opened",
        data: {},
      } as const;
      const kept = [recordOf(party_id, opened, newId)];
      if (!(await store.open(party_id, room, { kept, said: [] }))) return;
      log.info({ party_id }, "room opened");
      moved(party_id, room, kept.length);
    },

    async buffered(party_id) {
      const records: PartyRecord[] = [];
      for (let after = ""; ; ) {
        const page = await store.buffered(party_id, PAGE, after);
        for (const { payload } of page) records.push(JSON.parse(payload) as PartyRecord);
        if (page.length < PAGE) return records;
        after = page.at(-1)?.id ?? "";
      }
    },
  };
}

type Told = {
  message: RoomMessage;
  asked: number;
  resolve: (room: Room) => void;
  reject: (error: unknown) => void;
};

type Taken = Written & {
  room: Room;
  kept: PartyRecord[];
  said: Written["said"][number][];
  answers: (() => void)[];
  joined: number;
  left: number;
  doubtful: boolean;
};

export type RoomsDeps = {
  store: Pick<RoomStore, "open" | "load" | "advance" | "buffered">;
  clock: () => number;
  newId: () => string;
  /** The name of this process among those that serve members. */
  process: string;
  metrics: Pick<PartyMetrics, "came" | "went">;
  log: Log;
  /** A room is as it is now, and so much of it waits for Postgres (0: not looked). */
  moved: (party_id: string, room: Room, buffered: number) => void;
};

export type Rooms = {
  /** Makes the room once; one that is open stays as it is. */
  open(party: {
    party_id: string;
    owner_id: UserId;
    co_host_ids: readonly UserId[];
    capacity: number;
  }): Promise<void>;
  /**
   * Tells a room something, and through it everybody in it.
   *
   * @returns the room as it is then.
   * @throws RoomRefused when nothing comes of it: `not_open` when there is no such room (yet, or any more). Whatever else
   * is thrown is an outage: it may have been told, or not.
   */
  tell(party_id: string, message: RoomMessage): Promise<Room>;
  /** What happened in it and is not known to be in Postgres, oldest first. */
  buffered(party_id: string): Promise<PartyRecord[]>;
};
