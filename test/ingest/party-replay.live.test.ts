import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { Party } from "../../db/contract/parties.ts";
import {
  cursorOf,
  logsRequest,
  messagesRequest,
  type PartyLog,
  type PartyMessage,
  placeOfLog,
  placeOfMessage,
} from "../../db/contract/party-lists.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { createMetrics } from "../../ingest/observe/metrics.ts";
import { partyFlusher } from "../../ingest/party/flush.ts";
import { type Parties, partyLibrary } from "../../ingest/party/parties.ts";
import { type RoomStore, roomStore } from "../../ingest/party/room-store.ts";
import { partyRooms, type Rooms } from "../../ingest/party/rooms.ts";
import { storeRecords } from "../../ingest/party/store-records.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { testClock } from "../support/clock.ts";
import { ADMITS, KEYED, partyOf, storeParties } from "../support/parties.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";

/** What was said and done in a party, read from Postgres and from what waits for it, together. */

const START = Date.UTC(2026, 0, 1);
const log = createLog("silent");
const metrics = createMetrics().party;

let database: TestDatabase;
let server: TestRedis;
let redis: ReturnType<typeof connectRedis>;
let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  [database, server] = await Promise.all([createTestDatabase(), startTestRedis({ appendfsync: "no" })]);
  redis = connectRedis(server.url);
  ({ db, close } = connect(database.url, { max: 6 }));
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all([close(), server.stop()]);
  await database.drop();
});

let clock: ReturnType<typeof testClock>;
let store: RoomStore;
let rooms: Rooms;
let flush: (party_id: string) => Promise<void>;
let parties: Parties;
let party: Party;
let ids = 0;
beforeEach(async () => {
  await redis.flushall();
  await db.execute(sql`TRUNCATE watch_parties, watch_party_messages, watch_party_logs, watch_party_likes,
    watch_party_viewers, watch_party_members`);
  clock = testClock(START);
  store = roomStore(redis);
  const newId = () => `id-${String(++ids).padStart(6, "0")}`;
  rooms = partyRooms({
    ...{ store, clock: clock.now, newId, process: "a", metrics, log, moved: () => {} },
  });
  flush = partyFlusher({ store, keep: (records) => storeRecords(db, records, KEYED), metrics, log });
  const within = <T>(asking: Promise<T>) => asking;
  parties = partyLibrary({ db, rooms, clock: clock.now, newId, capacity: 5, ...ADMITS, within, log });
  party = partyOf("p", { status: "ONGOING", start_time: START, started_at: START });
  await storeParties(db, party);
  await rooms.open({ party_id: "p", owner_id: "alice" as UserId, co_host_ids: [], capacity: 5 });
  for (const user of ["alice", "bob"]) await join(user);
});

async function join(user: string): Promise<void> {
  await rooms.tell("p", { type: "join", connection: `a:${user}`, user_id: user as UserId, name: user });
}

async function chat(user: string, id: string): Promise<void> {
  await rooms.tell("p", { type: "chat", connection: `a:${user}`, id, text: `says ${id}` });
}

/** Every page, one after the other. */
async function messages({ limit = 500, after = "" } = {}): Promise<PartyMessage[]> {
  const all: PartyMessage[] = [];
  const query = { limit: [String(limit)], ...(after ? { after: [after] } : {}) };
  for (let cursor = ""; ; ) {
    const request = messagesRequest({ ...query, ...(cursor ? { cursor: [cursor] } : {}) });
    const found = await parties.messages(party, request);
    all.push(...found.slice(0, limit));
    const last = found[limit - 1];
    if (found.length <= limit || !last) return all;
    cursor = cursorOf(placeOfMessage(last));
  }
}

async function logs(limit = 500): Promise<PartyLog[]> {
  const all: PartyLog[] = [];
  for (let cursor = ""; ; ) {
    const request = logsRequest({ limit: [String(limit)], ...(cursor ? { cursor: [cursor] } : {}) });
    const { logs } = await parties.logs(party, request);
    all.push(...logs.slice(0, limit));
    const last = logs[limit - 1];
    if (logs.length <= limit || !last) return all;
    cursor = cursorOf(placeOfLog(last));
  }
}

const textsOf = (found: readonly PartyMessage[]) => found.map(({ text }) => text.replace("says ", ""));

describe("messages", () => {
  test("are the same before, during and after a flush", async () => {
    await chat("alice", "1");
    await chat("bob", "2");
    const whole = await messages();
    expect(whole[0]).toEqual({
      ...{ event_id: expect.any(String), at: START, media_time: 0, user_id: "alice", name: "alice" },
      text: "says 1",
    });
    expect(textsOf(whole).sort()).toEqual(["1", "2"]);

    // It is committed, and its process dies before it lets go.
    const dying = partyFlusher({
      store: { ...store, settle: () => Promise.reject(new Error("killed")) },
      ...{ keep: (records) => storeRecords(db, records, KEYED), metrics, log },
    });
    await expect(dying("p")).rejects.toThrow("killed");
    expect((await rooms.buffered("p")).length).toBeGreaterThan(2);
    expect(await messages()).toEqual(whole);
    expect(await messages({ limit: 1 })).toEqual(whole);
    await flush("p");
    expect(await rooms.buffered("p")).toEqual([]);
    expect(await messages()).toEqual(whole);
    expect(await messages({ limit: 1 })).toEqual(whole);
  });

  test.each(["before", "after"])(
    "are not lost when all moves on just %s the buffer is read",
    async (when) => {
      for (let n = 0; n < 30; n++) {
        await chat("alice", `${n}`);
        clock.advance(1_000);
      }
      const { buffered } = rooms;
      rooms.buffered = async (party_id) => {
        if (when === "before") await flush(party_id);
        const waiting = await buffered(party_id);
        await flush(party_id);
        return waiting;
      };
      expect(textsOf(await messages({ limit: 7 }))).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`));
    },
  );

  test("come each once while it is talked and flushed", async () => {
    const said: string[] = [];
    let over = false;
    const talking = (async () => {
      for (let n = 0; n < 400; n++) {
        await chat(n % 2 ? "alice" : "bob", `${n}`);
        said.push(`${n}`);
        clock.advance(10);
      }
      over = true;
    })();
    const flushing = (async () => {
      while (!over) await flush("p");
    })();
    let reads = 0;
    for (; !over; reads++) {
      const before = [...said];
      const read = textsOf(await messages({ limit: 50 }));
      expect(new Set(read).size).toBe(read.length);
      expect(before.filter((one) => !read.includes(one))).toEqual([]);
    }
    await Promise.all([talking, flushing]);
    expect(reads).toBeGreaterThan(3);
    expect(textsOf(await messages())).toEqual(said);
  });

  test("are in the order of the content, whatever the host did", async () => {
    await play();
    clock.advance(60_500);
    await chat("bob", "at 60");
    await rooms.tell("p", { type: "seek", connection: "a:alice", revision: await revision(), position: 10 });
    await ready();
    clock.advance(1_000);
    await flush("p");
    await chat("bob", "at 10");
    const found = await messages();
    expect(textsOf(found)).toEqual(["at 10", "at 60"]);
    expect(found.map(({ media_time }) => Math.floor(media_time))).toEqual([10, 60]);
    expect(textsOf(await messages({ after: "10" }))).toEqual(["at 10", "at 60"]);
    expect(textsOf(await messages({ after: String(found[0]?.media_time) }))).toEqual(["at 60"]);
    await flush("p");
    expect(textsOf(await messages({ after: String(found[0]?.media_time) }))).toEqual(["at 60"]);
    expect(textsOf(await messages({ after: "60.5" }))).toEqual([]);
  });

  test.each(["nothing", "the first", "both"])(
    "sent again are one, when %s is in Postgres",
    async (flushed) => {
      await play();
      clock.advance(5_500);
      await chat("bob", "again");
      if (flushed === "the first") await flush("p");
      clock.advance(60_000);
      await chat("alice", "between");
      clock.advance(60_000);
      await chat("bob", "again");
      if (flushed === "both") await flush("p");
      expect(textsOf(await messages())).toEqual(["again", "between"]);
      expect(textsOf(await messages({ limit: 1 }))).toEqual(["again", "between"]);
      expect(textsOf(await messages({ after: "5.2" }))).toEqual(["between"]);
    },
  );

  test("of who was erased stay, and say nothing of them", async () => {
    await chat("bob", "1");
    await flush("p");
    await db.execute(sql`UPDATE watch_party_messages SET user_id = NULL, name = NULL`);
    expect(await messages()).toMatchObject([{ user_id: null, name: null, text: "says 1" }]);
  });

  test("of a party that is wholly in Postgres need no Redis", async () => {
    await chat("bob", "1");
    await flush("p");
    rooms.buffered = () => Promise.reject(new Error("Redis is away"));
    await expect(messages()).rejects.toMatchObject({ code: "unavailable" });
    party = { ...party, status: "FINISHED", flushed_at: START };
    expect(textsOf(await messages())).toEqual(["1"]);
  });

  test("of one party are never those of another", async () => {
    await storeParties(db, partyOf("pp", { status: "ONGOING", started_at: START }));
    await rooms.open({ party_id: "pp", owner_id: "alice" as UserId, co_host_ids: [], capacity: 5 });
    await chat("bob", "1");
    const other = partyOf("pp", { status: "ONGOING", started_at: START });
    expect(await parties.messages(other, messagesRequest({}))).toEqual([]);
    await flush("p");
    expect(await parties.messages(other, messagesRequest({}))).toEqual([]);
  });
});

describe("logs", () => {
  test("tell what happened and what it came to, the same before and after a flush", async () => {
    clock.advance(1_000);
    await rooms.tell("p", { type: "like", connection: "a:bob", count: 4 });
    await flush("p");
    await rooms.tell("p", { type: "like", connection: "a:alice", count: 3 });
    clock.advance(1_000);
    await rooms.tell("p", { type: "leave", connection: "a:bob" });
    clock.advance(2_000);
    await rooms.tell("p", { type: "tick" });

    const { likes, peak, average, logs: page } = await parties.logs(party, logsRequest({}));
    expect([likes, peak]).toEqual([7, 2]);
    // From one to two within the first second, for one more; then one again.
    expect(average).toBeGreaterThan(1);
    expect(average).toBeLessThan(2);
    const happened = page.map(({ event }) => event);
    for (const event of ["opened", "joined", "host", "left", "viewers"]) expect(happened).toContain(event);
    expect(
      page
        .filter(({ event }) => event === "joined")
        .map(({ user_id }) => user_id)
        .sort(),
    ).toEqual([...["alice", "bob"]]);
    expect(page.map(({ at }) => at)).toEqual(page.map(({ at }) => at).sort((a, b) => a - b));
    const lastCount = page.filter(({ event }) => event === "viewers").at(-1);
    expect(lastCount).toMatchObject({ user_id: null, data: { count: 1 } });

    await flush("p");
    expect(await parties.logs(party, logsRequest({}))).toEqual({ likes, peak, average, logs: page });
    for (const limit of [1, 2, 5]) expect(await logs(limit)).toEqual(page);
  });

  test("count a like once while it is in both", async () => {
    await rooms.tell("p", { type: "like", connection: "a:bob", count: 4 });
    const { buffered } = rooms;
    rooms.buffered = async (party_id) => {
      const waiting = await buffered(party_id);
      await flush(party_id);
      return waiting;
    };
    const { likes, peak, logs } = await parties.logs(party, logsRequest({}));
    expect([likes, new Set(logs.map(({ event_id }) => event_id)).size]).toEqual([4, logs.length]);
    expect(peak).toBeGreaterThan(0);
  });
});

async function revision(): Promise<number> {
  return (await rooms.tell("p", { type: "tick" })).revision;
}

async function ready(): Promise<void> {
  for (const user of ["alice", "bob"]) {
    await rooms.tell("p", { type: "ready", connection: `a:${user}`, revision: await revision() });
  }
}

/** Plays from the beginning, from half a second on. */
async function play(): Promise<void> {
  await rooms.tell("p", { type: "play", connection: "a:alice", revision: await revision() });
  await ready();
}
