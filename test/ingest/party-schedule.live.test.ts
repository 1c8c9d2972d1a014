import { sql } from "drizzle-orm";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { LONGEST_PARTY_MS, type Party } from "../../db/contract/parties.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { partyLibrary } from "../../ingest/party/parties.ts";
import { runSchedule, scheduleTurn } from "../../ingest/party/schedule.ts";
import { testClock } from "../support/clock.ts";
import { ADMITS, committedEvents, partyOf, rememberOutbox, storeParties } from "../support/parties.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { roomsInMemory } from "../support/rooms.ts";
import { until } from "../support/until.ts";

const START = Date.UTC(2026, 0, 1, 1);
const HOUR = 3_600_000;
const log = createLog("silent");

const database = await createTestDatabase();
const { db, close } = connect(database.url, { max: 6 });
await rememberOutbox(db);
afterAll(async () => {
  await close();
  await database.drop();
});
beforeEach(async () => {
  await db.execute(sql`TRUNCATE watch_parties, watch_party_viewers, outbox, told`);
});

const clock = testClock(START);
/** Somebody who keeps the schedule, and has not looked after any room yet. */
function aProcess(rooms = roomsInMemory(clock.now), on: Database = db) {
  const within = <T>(asking: Promise<T>) => asking;
  const its = { db: on, rooms, clock: clock.now, log };
  const parties = partyLibrary({ ...its, ...ADMITS, newId: () => "id", capacity: 3, within });
  const deps = { ...its, parties };
  return { rooms, parties, deps, turn: scheduleTurn(deps) };
}

async function stored(party_id = "p"): Promise<Party> {
  const [party] = (await db.execute(
    sql`SELECT * FROM watch_parties WHERE party_id = ${party_id}`,
  )) as unknown as Party[];
  if (!party) throw new Error(`no party ${party_id}`);
  return party;
}

function at(time: number): void {
  clock.advance(time - clock.now());
}

beforeEach(() => at(START - HOUR));

describe("the schedule", () => {
  test("opens a party at its start, not before, with its room; and ends it at its end", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(db, partyOf("p", { end_time: START + HOUR, co_host_ids: ["bob" as UserId] }));
    expect(await turn()).toBe(START);
    at(START - 1);
    expect(await turn()).toBe(START);
    expect([(await stored()).status, rooms.told, await committedEvents(db)]).toEqual(["SCHEDULED", [], []]);

    at(START);
    expect(await turn()).toBe(START + HOUR);
    expect(await stored()).toMatchObject({ status: "ONGOING", started_at: START, ended_at: 0 });
    expect(rooms.rooms.get("p")).toMatchObject({ owner_id: "alice", co_host_ids: ["bob"], capacity: 3 });
    const event = {
      ...{ specversion: "1.0", source: "playhead", subject: "alice", datacontenttype: "application/json" },
    };
    const data = { party_id: "p", title: "The Final", content_id: "match", user_id: "alice" };
    const times = { start_time: "2026-01-01T01:00:00.000Z", end_time: "2026-01-01T02:00:00.000Z" };
    const started = {
      ...{ ...event, id: "p/started", type: "PartyStarted", time: "2026-01-01T01:00:00.000Z" },
      dataschema: "urn:playhead:event:PartyStarted:1",
      data: { ...data, ...times, status: "ONGOING" },
    };
    expect(await committedEvents(db)).toEqual([started]);

    at(START + HOUR - 1);
    await turn();
    expect((await stored()).status).toBe("ONGOING");
    at(START + HOUR);
    expect(await turn()).toBeNull();
    expect(await stored()).toMatchObject({ status: "FINISHED", ended_at: START + HOUR });
    expect(rooms.rooms.get("p")?.ended).toEqual({ reason: "schedule" });
    const ended = {
      ...{ ...event, id: "p/ended", type: "PartyEnded", time: "2026-01-01T02:00:00.000Z" },
      dataschema: "urn:playhead:event:PartyEnded:1",
      data: { ...data, ...times, status: "FINISHED", reason: "schedule", peak_viewers: 0 },
    };
    expect(await committedEvents(db)).toEqual([started, ended]);
    await turn();
    expect(await committedEvents(db)).toHaveLength(2);
  });

  test("says when the next one opens or ends, whichever comes first", async () => {
    const { turn } = aProcess();
    expect(await turn()).toBeNull();
    await storeParties(db, partyOf("a", { start_time: START + HOUR }), partyOf("b", { start_time: START }));
    expect(await turn()).toBe(START);
    at(START);
    expect(await turn()).toBe(START + HOUR);
    at(START + HOUR);
    expect(await turn()).toBe(START + LONGEST_PARTY_MS);
  });

  test("ends after a day what nobody ends", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(db, partyOf("p"));
    at(START);
    await turn();
    at(START + LONGEST_PARTY_MS - 1);
    await turn();
    expect((await stored()).status).toBe("ONGOING");
    at(START + LONGEST_PARTY_MS);
    await turn();
    expect((await stored()).status).toBe("FINISHED");
    expect(rooms.rooms.get("p")?.ended).toEqual({ reason: "schedule" });
  });

  test("whoever starts after the hour catches up; what was missed as a whole is called off", async () => {
    await storeParties(
      db,
      partyOf("open", { end_time: START + 2 * HOUR }),
      partyOf("endless"),
      partyOf("missed", { end_time: START + HOUR }),
      partyOf("forgotten", { start_time: START + HOUR - LONGEST_PARTY_MS }),
      partyOf("orphan", { host_id: null, end_time: START + 2 * HOUR }),
    );
    const { turn, rooms } = aProcess();
    at(START + HOUR);
    await turn();
    const late = { status: "ONGOING", started_at: START + HOUR, ended_at: 0 };
    const off = { status: "CANCELLED", started_at: 0, ended_at: START + HOUR };
    expect(await stored("open")).toMatchObject(late);
    expect(await stored("endless")).toMatchObject(late);
    for (const party_id of ["missed", "forgotten", "orphan"])
      expect(await stored(party_id)).toMatchObject(off);
    expect([...rooms.rooms.keys()].sort()).toEqual(["endless", "open"]);
    const told = (await committedEvents(db)).map(({ id, data }) => [id, data.status, data.reason]);
    expect(told.sort()).toEqual([
      ["endless/started", "ONGOING", undefined],
      ["forgotten/ended", "CANCELLED", "missed"],
      ["missed/ended", "CANCELLED", "missed"],
      ["open/started", "ONGOING", undefined],
    ]);
  });

  test("of many at once each transition is made once", async () => {
    const parties = Array.from({ length: 250 }, (_, n) => partyOf(`p-${n}`, { end_time: START + HOUR }));
    await storeParties(db, ...parties);
    const rooms = roomsInMemory(clock.now);
    const crowd = Array.from({ length: 4 }, () => aProcess(rooms));
    at(START);
    await Promise.all(crowd.map(({ turn }) => turn()));
    await Promise.all(crowd.map(({ turn }) => turn()));
    at(START + HOUR);
    await Promise.all(crowd.map(({ turn }) => turn()));
    await Promise.all(crowd.map(({ turn }) => turn()));

    const ids = (await committedEvents(db)).map(({ id }) => id);
    expect(ids).toHaveLength(500);
    expect(new Set(ids).size).toBe(500);
    const [{ over }] = (await db.execute(
      sql`SELECT count(*) AS over FROM watch_parties WHERE status = 'FINISHED' AND started_at = ${START}`,
    )) as unknown as [{ over: number }];
    expect(over).toBe(250);
    expect([...rooms.rooms.values()].filter(({ ended }) => ended)).toHaveLength(250);
  });

  test("an idle turn tells rooms nothing, until they are looked after again", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(db, partyOf("p"));
    at(START);
    await turn();
    expect(rooms.told).toEqual([
      ["p", "open"],
      ["p", "co_hosts"],
    ]);
    clock.advance(59_000);
    await turn();
    expect(rooms.told).toHaveLength(2);
    // All of Redis is lost.
    rooms.rooms.clear();
    clock.advance(60_000);
    await turn();
    expect(rooms.rooms.has("p")).toBe(true);
  });
});

describe("what a crash leaves undone", () => {
  test("between Postgres and the room at the start, somebody else does", async () => {
    await storeParties(db, partyOf("p"));
    const dying = aProcess();
    at(START);
    dying.rooms.cutOff(true);
    await dying.turn();
    expect((await stored()).status).toBe("ONGOING");
    expect(dying.rooms.rooms.size).toBe(0);

    const next = aProcess();
    await next.turn();
    expect(next.rooms.rooms.has("p")).toBe(true);
    expect(await committedEvents(db)).toHaveLength(1);
  });

  test("between Postgres and the room at the end, somebody else does", async () => {
    await storeParties(
      db,
      partyOf("p", { status: "FINISHED", started_at: START, end_time: START + 1, ended_at: START + 1 }),
      partyOf("q", { status: "FINISHED", started_at: START, ended_at: START + 1 }),
    );
    const { turn, rooms } = aProcess();
    for (const party_id of ["p", "q"]) {
      await rooms.open({ party_id, owner_id: "alice" as UserId, co_host_ids: [], capacity: 3 });
    }
    at(START + 2);
    await turn();
    expect(rooms.rooms.get("p")?.ended).toEqual({ reason: "schedule" });
    expect(rooms.rooms.get("q")?.ended).toEqual({ reason: "cancelled" });
    expect(await committedEvents(db)).toEqual([]);
  });

  test("a party that never had a room is not waited for", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(
      db,
      partyOf("p", { status: "FINISHED", started_at: START, ended_at: START + 1 }),
      partyOf("waits", { status: "FINISHED", started_at: START, ended_at: START + 1 }),
    );
    rooms.records.push({
      ...{ party_id: "waits", event_id: "e", at: START, media_time: 0, user_id: null },
      ...{ kind: "like", count: 1 },
    });
    at(START + 2);
    await turn();
    expect(await stored("p")).toMatchObject({ flushed_at: START + 2 });
    expect(await stored("waits")).toMatchObject({ flushed_at: 0 });
    expect(rooms.rooms.size).toBe(0);
  });

  test("a host who ended the room has ended the party", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(db, partyOf("p"));
    at(START);
    await turn();
    await rooms.tell("p", { type: "end", connection: null, reason: "host" });
    clock.advance(60_000);
    await turn();
    expect(await stored()).toMatchObject({ status: "FINISHED", ended_at: clock.now() });
    expect((await committedEvents(db)).map(({ data }) => data.reason)).toEqual([undefined, "host"]);
    expect(rooms.rooms.get("p")?.ended).toEqual({ reason: "host" });
  });

  test("a party whose host was erased is over", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(db, partyOf("p"));
    at(START);
    await turn();
    await db.execute(sql`UPDATE watch_parties SET host_id = NULL`);
    clock.advance(60_000);
    await turn();
    await turn();
    expect((await stored()).status).toBe("FINISHED");
    expect(rooms.rooms.get("p")?.ended).toEqual({ reason: "cancelled" });
    expect((await committedEvents(db)).map(({ id }) => id)).toEqual(["p/started"]);
  });

  test("co-hosts that the room was not told of, it is told of", async () => {
    const { turn, rooms, parties } = aProcess();
    await storeParties(db, partyOf("p"));
    at(START);
    await turn();
    rooms.cutOff(true);
    await parties.change("p", { co_host_ids: ["bob" as UserId] });
    rooms.cutOff(false);
    expect(rooms.rooms.get("p")?.co_host_ids).toEqual([]);
    clock.advance(60_000);
    await turn();
    expect(rooms.rooms.get("p")?.co_host_ids).toEqual(["bob"]);
  });

  test("a room that was opened while its party ended is ended again", async () => {
    const rooms = roomsInMemory(clock.now);
    const { turn, parties } = aProcess(rooms);
    await storeParties(db, partyOf("p"));
    at(START);
    // The room is finished with, and forgotten, between the look at Postgres and the opening.
    const { open } = rooms;
    rooms.open = async (party) => {
      await parties.ended("p", "host");
      await db.execute(sql`UPDATE watch_parties SET flushed_at = ${START}`);
      await open(party);
    };
    await turn();
    expect(rooms.rooms.get("p")?.ended).not.toBeNull();
  });
});

describe("while a store is away", () => {
  test("rooms that cannot be reached are opened later, and what begins begins all the same", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(db, partyOf("p", { end_time: START + HOUR }), partyOf("q", { start_time: START + 1 }));
    rooms.cutOff(true);
    at(START);
    await turn();
    at(START + 1);
    await turn();
    expect([(await stored("p")).status, (await stored("q")).status]).toEqual(["ONGOING", "ONGOING"]);
    rooms.cutOff(false);
    await turn();
    expect([...rooms.rooms.keys()].sort()).toEqual(["p", "q"]);

    // An end waits until it can be said how many watched.
    rooms.cutOff(true);
    at(START + HOUR);
    expect(await turn()).toBe(START + 1 + LONGEST_PARTY_MS);
    expect((await stored("p")).status).toBe("ONGOING");
    rooms.cutOff(false);
    await turn();
    expect((await stored("p")).status).toBe("FINISHED");
    expect(rooms.rooms.get("p")?.ended).toEqual({ reason: "schedule" });
  });

  test("one room that cannot be reached holds up no other", async () => {
    const { turn, rooms } = aProcess();
    const ids = Array.from({ length: 45 }, (_, n) => `p-${n}`);
    await storeParties(db, ...ids.map((id) => partyOf(id, { end_time: START + HOUR })));
    rooms.cutOff("p-7");
    at(START);
    await turn();
    expect(rooms.rooms.size).toBe(44);
    at(START + HOUR);
    await turn();
    expect([...rooms.rooms.values()].filter(({ ended }) => ended)).toHaveLength(44);
    expect((await stored("p-7")).status).toBe("ONGOING");
  });

  test("when no room can be reached, it is not tried with all of them", async () => {
    const { turn, rooms } = aProcess();
    const ids = Array.from({ length: 250 }, (_, n) => `p-${n}`);
    await storeParties(db, ...ids.map((id) => partyOf(id, { end_time: START + HOUR })));
    rooms.cutOff(true);
    at(START);
    await turn();
    expect(rooms.asked).toHaveLength(20);
    at(START + HOUR);
    await turn();
    expect(rooms.asked).toHaveLength(20 + 100 + 20);
  });

  test("Postgres is asked again until it is there", async () => {
    await storeParties(db, partyOf("p"));
    at(START);
    let away = true;
    let asked = 0;
    const unlessAway = (name: "execute" | "transaction") => async (work: never) => {
      asked++;
      if (away) throw new Error("Postgres is away");
      return await (db[name] as (work: never) => Promise<unknown>).call(db, work);
    };
    const flaky = { execute: unlessAway("execute"), transaction: unlessAway("transaction") };
    const { deps, rooms } = aProcess(roomsInMemory(clock.now), flaky as unknown as Database);
    const signal = new AbortController();
    const running = runSchedule(deps, signal.signal);
    onTestFinished(async () => {
      signal.abort();
      await running;
    });
    await until(() => asked > 2, { what: "a third try" });
    away = false;
    await until(() => rooms.rooms.has("p"), { what: "the room to be open" });
  });
});

describe("how many watched", () => {
  test("is published with the end, with what waits for Postgres", async () => {
    const { turn, rooms } = aProcess();
    await storeParties(
      db,
      partyOf("p", { end_time: START + HOUR }),
      partyOf("q", { end_time: START + HOUR }),
    );
    at(START);
    await turn();
    await storeSamples("p", [START, 3]);
    await storeSamples("q", [START, 3]);
    for (const [party_id, count] of [
      ["p", 7],
      ["p", 5],
      ["q", 2],
    ] as const) {
      rooms.records.push({
        ...{ party_id, event_id: `${party_id}-${count}`, at: START, media_time: 0, user_id: null },
        ...{ kind: "viewers", count },
      });
    }
    at(START + HOUR);
    await turn();
    const peaks = (await committedEvents(db)).map(({ id, data }) => [id, data.peak_viewers]);
    expect(peaks.slice(2).sort()).toEqual([
      ["p/ended", 7],
      ["q/ended", 3],
    ]);
  });

  test("is counted once all of it is in Postgres, by how long it was so", async () => {
    const { turn } = aProcess();
    const over = { status: "FINISHED", started_at: START, ended_at: START + 1_000 } as const;
    await storeParties(db, partyOf("p", over), partyOf("empty", { ...over, flushed_at: 1 }));
    await storeSamples("p", [START + 100, 2], [START + 300, 10], [START + 400, 1]);
    const { rooms } = aProcess();
    rooms.cutOff(true);
    at(START + 2_000);
    const first = aProcess(rooms);
    await first.turn();
    expect(await stored()).toMatchObject({ peak_viewers: null, average_viewers: null });
    expect(await stored("empty")).toMatchObject({ peak_viewers: 0, average_viewers: 0 });
    await db.execute(sql`UPDATE watch_parties SET flushed_at = ${START + 2_000}`);
    await turn();
    // (2 * 200 + 10 * 100 + 1 * 600) / 1000
    expect(await stored()).toMatchObject({ peak_viewers: 10, average_viewers: 2 });
  });
});

async function storeSamples(party_id: string, ...samples: [at: number, count: number][]): Promise<void> {
  for (const [at, count] of samples) {
    await db.execute(sql`
      INSERT INTO watch_party_viewers VALUES (${party_id}, ${`${at}`}, ${at}, 0, ${count})`);
  }
}
