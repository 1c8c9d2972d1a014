import { sql } from "drizzle-orm";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import type { StoredPartyRecord } from "../../db/contract/party-records.ts";
import { connect } from "../../db/postgres/connect.ts";
import {
  hostlessParties,
  namelessLikes,
  namelessLogs,
  namelessMessages,
} from "../../db/postgres/erase-parties.ts";
import { missedChat } from "../../ingest/party/missed-chat.ts";
import { storeRecords } from "../../ingest/party/store-records.ts";
import { KEYED, partyOf, storeParties } from "../support/parties.ts";
import { createTestDatabase } from "../support/postgres.ts";

const [ann, bob] = ["ann" as UserId, "bob" as UserId];
const database = await createTestDatabase();
const { db, close } = connect(database.url, { max: 2 });
afterAll(async () => {
  await close();
  await database.drop();
});
beforeEach(async () => {
  await db.execute(sql`
    TRUNCATE erased, watch_parties, watch_party_messages, watch_party_logs, watch_party_likes, watch_party_members`);
});

const happened = { party_id: "p", media_time: 1, user_id: ann };
const chat = (id: string, at: number, user_id = ann): StoredPartyRecord => ({
  ...{ ...happened, at, user_id, event_id: `chat:${user_id}:${id}` },
  ...{ kind: "chat", name: "Somebody", text: `${id} of ${at}` },
});
const records: StoredPartyRecord[] = [
  ...[chat("1", 10), chat("2", 20), chat("1", 30, bob)],
  { ...happened, event_id: "like", at: 11, kind: "like", count: 3 },
  { ...happened, event_id: "joined", at: 9, kind: "log", event: "joined", data: {} },
  {
    ...happened,
    user_id: bob,
    event_id: "muted",
    at: 12,
    kind: "log",
    event: "muted",
    data: { user_id: ann },
  },
];

async function mark(user: UserId, accepted_at = 0): Promise<void> {
  const hash = KEYED.hashOf(user);
  await db.execute(
    sql`INSERT INTO erased (user_hash, erased_at, accepted_at) VALUES (${hash}, 15, ${accepted_at})`,
  );
}

async function erase(user: UserId): Promise<number[]> {
  const { nameless } = KEYED;
  return [
    await namelessMessages(db, user, nameless),
    await namelessLogs(db, user),
    await namelessLikes(db, user),
  ];
}

async function said() {
  const rows = await db.execute(
    sql`SELECT event_id, user_id, name, text FROM watch_party_messages ORDER BY at`,
  );
  return rows as unknown as { event_id: string; user_id: string | null; name: string | null; text: string }[];
}

const nobodys = { user_id: null, name: null, event_id: expect.not.stringContaining("ann") };
const whole = [
  { ...nobodys, text: "1 of 10" },
  { ...nobodys, text: "2 of 20" },
  { user_id: "bob", name: "Somebody", event_id: "chat:bob:1", text: "1 of 30" },
];

describe("what is known of who was erased", () => {
  test("is nameless when it is stored before and after: once each, and the rest stays", async () => {
    await storeRecords(db, records, KEYED);
    await mark(ann);
    expect(await erase(ann)).toEqual([2, 2, 1]);
    expect(await said()).toEqual(whole);
    // The process died between the commit and letting go of it.
    await storeRecords(db, records, KEYED);
    expect(await said()).toEqual(whole);
    expect(await erase(ann)).toEqual([0, 0, 0]);
    const logs = await db.execute(sql`SELECT event_id, user_id, data FROM watch_party_logs ORDER BY at`);
    expect([...logs]).toEqual([
      { event_id: "joined", user_id: null, data: {} },
      { event_id: "muted", user_id: "bob", data: {} },
    ]);
    const likes = await db.execute(sql`SELECT user_id, count FROM watch_party_likes`);
    expect([...likes]).toEqual([{ user_id: null, count: 3 }]);
  });

  test("is never named by a flush that comes after the mark", async () => {
    await mark(ann);
    await storeRecords(db, records, KEYED);
    expect(await said()).toEqual(whole);
    expect([...(await db.execute(sql`SELECT user_id FROM watch_party_members`))]).toEqual([]);
    expect(await erase(ann)).toEqual([0, 0, 0]);
  });

  test("that a flush named which had not seen the mark, after another had stored it, is one message", async () => {
    await storeRecords(db, records, KEYED);
    await mark(ann);
    await storeRecords(db, records, KEYED);
    expect(await said()).toHaveLength(5);
    expect((await erase(ann))[0]).toBe(2);
    expect(await said()).toEqual(whole);
  });

  test("keeps its name from when the user is accepted again", async () => {
    await mark(ann, 15);
    await storeRecords(db, records, KEYED);
    expect((await said()).map(({ user_id }) => user_id)).toEqual([null, "ann", "bob"]);
  });

  test("of more messages than one transaction takes, too", async () => {
    await storeRecords(
      db,
      Array.from({ length: 1_001 }, (_, n) => chat(`${n}`, n)),
      KEYED,
    );
    expect((await erase(ann))[0]).toBe(1_001);
    expect((await said()).filter(({ user_id }) => user_id !== null)).toEqual([]);
  });
});

test("whoever comes back is not told what the erased said", async () => {
  await storeRecords(db, records, KEYED);
  await erase(ann);
  const missed = await missedChat(db, { buffered: async () => [] })("p", 0);
  expect(missed.map(({ id, user_id }) => [id, user_id])).toEqual([["1", "bob"]]);
});

test("parties without a host are called off or end; others go on without the co-host", async () => {
  const hosted = { host_id: ann };
  await storeParties(
    db,
    partyOf("scheduled", hosted),
    partyOf("on", { ...hosted, status: "ONGOING", started_at: 50 }),
    partyOf("over", { ...hosted, status: "FINISHED", started_at: 1, ended_at: 2 }),
    partyOf("bobs", { host_id: bob, co_host_ids: [ann, "x" as UserId] }),
    partyOf("others", { host_id: bob }),
  );
  expect(await hostlessParties(db, ann, 40)).toBe(4);
  const rows = await db.execute(sql`
    SELECT party_id, host_id, co_host_ids, status, ended_at FROM watch_parties ORDER BY party_id`);
  expect([...rows]).toEqual([
    { party_id: "bobs", host_id: "bob", co_host_ids: ["x"], status: "SCHEDULED", ended_at: 0 },
    { party_id: "on", host_id: null, co_host_ids: [], status: "FINISHED", ended_at: 50 },
    { party_id: "others", host_id: "bob", co_host_ids: [], status: "SCHEDULED", ended_at: 0 },
    { party_id: "over", host_id: null, co_host_ids: [], status: "FINISHED", ended_at: 2 },
    { party_id: "scheduled", host_id: null, co_host_ids: [], status: "CANCELLED", ended_at: 40 },
  ]);
  expect(await hostlessParties(db, ann, 60)).toBe(0);
});
