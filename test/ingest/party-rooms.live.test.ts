import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { partiesDue, partyBroadcasts, partyBuffer } from "../../db/redis/keys.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { RoomRefused } from "../../ingest/party/room.ts";
import { type RoomStore, roomStore } from "../../ingest/party/room-store.ts";
import { partyRooms } from "../../ingest/party/rooms.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { startTestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: ReturnType<typeof connectRedis>;
beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

const OWNER = "owner" as UserId;
const log = createLog("silent");
const metrics = { came: () => {}, went: () => {} };

function processOf(name: string, store: Partial<RoomStore> = {}) {
  const its = { store: { ...roomStore(redis), ...store }, clock: Date.now, newId: randomUUID, process: name };
  return partyRooms({ ...its, metrics, log, moved: () => {} });
}

async function opened(...rooms: ReturnType<typeof partyRooms>[]): Promise<string> {
  const party_id = randomUUID();
  const its = { party_id, owner_id: OWNER, co_host_ids: [], capacity: 1_000 };
  await Promise.all(rooms.map((each) => each.open(its)));
  return party_id;
}

const join = (connection: string, user = connection.split(":")[1] ?? "") =>
  ({ type: "join", connection, user_id: user as UserId, name: null }) as const;

test("processes that write to one room at once lose nothing", async () => {
  const [one, other] = [processOf("one"), processOf("other")];
  const party = await opened(one, other);
  const all = Array.from({ length: 40 }, (_, n) => {
    const [rooms, name] = n % 2 === 0 ? [one, "one"] : [other, "other"];
    return rooms.tell(party, join(`${name}:${n}`));
  });
  await Promise.all(all);
  const room = await roomStore(redis).load(party);
  expect(room?.connections).toHaveLength(40);
  const kept = await one.buffered(party);
  expect(kept.filter((its) => its.kind === "log" && its.event === "joined")).toHaveLength(40);
  expect(kept.filter((its) => its.kind === "log" && its.event === "opened")).toHaveLength(1);
});

test("a room that was remembered as it is no more refuses nobody wrongly", async () => {
  const [one, other] = [processOf("one"), processOf("other")];
  const party = await opened(one);
  await one.tell(party, join("one:owner"));
  await one.tell(party, join("one:ann"));
  await other.tell(party, join("other:bob"));
  await other.tell(party, { type: "co_hosts", co_host_ids: ["ann" as UserId] });
  // As `one` remembers it, ann is nobody.
  await one.tell(party, { type: "play", connection: "one:ann", revision: 0 });
  await one.tell(party, { type: "kick", connection: "one:owner", user_id: "bob" as UserId });
  await expect(
    other.tell(party, { type: "chat", connection: "other:bob", id: "1", text: "?" }),
  ).rejects.toMatchObject({
    code: "not_joined",
  });
});

test("what is due in a room happens, though whoever ticks it remembers an earlier one", async () => {
  const [one, other] = [processOf("one"), processOf("other")];
  const party = await opened(one);
  await one.tell(party, join("one:owner"));
  for (let n = 0; n < 2; n++) await other.tell(party, { type: "like", connection: "one:owner", count: 1 });
  await until(async () => (await one.tell(party, { type: "tick" })).likes.told === 2);
});

test("what is told while something is under way is told in one step, in its order, each with its own answer", async () => {
  let steps = 0;
  const store = roomStore(redis);
  const rooms = processOf("one", {
    advance: async (...its) => {
      steps++;
      return await store.advance(...its);
    },
  });
  const party = await opened(rooms);
  await rooms.tell(party, join("one:owner"));
  steps = 0;
  const answers = await Promise.allSettled([
    ...[1, 2, 3].map((n) =>
      rooms.tell(party, { type: "chat", connection: "one:owner", id: String(n), text: "x" }),
    ),
    rooms.tell(party, { type: "chat", connection: "one:nobody", id: "4", text: "x" }),
    rooms.tell(party, { type: "chat", connection: "one:owner", id: "5", text: "x" }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(
    [..."fff", "r", "f"].map((its) => (its === "f" ? "fulfilled" : "rejected")),
  );
  expect(steps).toBe(2);
  const said = (await rooms.buffered(party)).flatMap((its) => (its.kind === "chat" ? its.event_id : []));
  expect(said).toEqual(["chat:owner:1", "chat:owner:2", "chat:owner:3", "chat:owner:5"]);
});

test("it is kept and said in the step in which it takes effect, or not at all", async () => {
  const rooms = processOf("one");
  const party = await opened(rooms);
  await rooms.tell(party, join("one:owner"));
  const before = [await redis.xlen(partyBuffer(party)), await redis.xlen(partyBroadcasts)];
  const store = roomStore(redis);
  const room = await store.load(party);
  if (room === null) throw new Error("no room");
  const stale = await store.advance(party, { ...room, rev: room.rev - 1 }, { room, kept: [], said: [] });
  expect(stale).toMatchObject({ state: "changed", room: { rev: room.rev } });
  expect([await redis.xlen(partyBuffer(party)), await redis.xlen(partyBroadcasts)]).toEqual(before);
});

test("a room that is not there is not open, and an outage is no refusal", async () => {
  const rooms = processOf("one");
  await expect(rooms.tell("nowhere", { type: "tick" })).rejects.toMatchObject({ code: "not_open" });
  expect(await redis.zscore(partiesDue, "nowhere")).toBe(null);
  const party = await opened(rooms);
  const broken = processOf("two", { advance: () => Promise.reject(new Error("the line broke")) });
  await expect(broken.tell(party, join("two:ann"))).rejects.not.toBeInstanceOf(RoomRefused);
});
