import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { partyBroadcasts, partyProcesses } from "../../db/redis/keys.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { partyChannel } from "../../ingest/party/broadcasts.ts";
import { LEASE_MS } from "../../ingest/party/leases.ts";
import { roomStore } from "../../ingest/party/room-store.ts";
import { partyRooms } from "../../ingest/party/rooms.ts";
import { type PartyClient, partyClient } from "../support/party-client.ts";
import { createPartyWorld, type PartyWorld } from "../support/party-world.ts";
import { until } from "../support/until.ts";
import { SECRET } from "../support/world.ts";

let its: PartyWorld;
beforeAll(async () => {
  its = await createPartyWorld({ LOG_LEVEL: "info" });
});
afterAll(async () => await its?.stop());

/** The rooms as a process that is no ingest of this test. */
function stranger(name: string) {
  return partyRooms({
    ...{ store: roomStore(its.world.redis), clock: Date.now, newId: randomUUID, process: name },
    ...{ metrics: { came: () => {}, went: () => {} }, log: createLog("silent"), moved: () => {} },
  });
}

const join = (connection: string, user: string) =>
  ({ type: "join", connection, user_id: user as UserId, name: null }) as const;

test("members of a process that died are lost, and what was due in their rooms happens", async () => {
  const party = await its.open();
  const [host] = await its.company(party, "host");
  const dead = stranger("dead");
  await its.world.redis.sadd(partyProcesses, "dead");
  await dead.tell(party, join("dead:1", "ann"));
  await dead.tell(party, { type: "like", connection: "dead:1", count: 3 });
  await host?.hears("likes", ({ total }) => total === 3);
  await until(
    () => host?.of("member_left").some(({ user_id, reason }) => user_id === "ann" && reason === "lost"),
    {
      timeout: 20_000,
    },
  );
  await until(async () => (await its.world.redis.sismember(partyProcesses, "dead")) === 0);
});

test("a member whom the room lost by mistake is in it again; whom it kept by mistake is not", async () => {
  const party = await its.open();
  const [host, ann] = await its.company(party, "host", "ann");
  const room = await its.room(party);
  const connection = room?.connections.find(({ user_id }) => user_id === "ann")?.id ?? "";
  const other = stranger("other");
  await other.tell(party, { type: "lost", connection });
  await other.tell(party, join(`${connection.split(":")[0]}:ghost`, "ghost"));
  await until(
    async () => {
      const users = (await its.room(party))?.connections.map(({ user_id }) => user_id as string);
      return users?.includes("ann") && !users.includes("ghost");
    },
    { timeout: 20_000 },
  );
  expect(await ann?.ask("chat", { id: "1", text: "here" })).toEqual({ ok: true });
  await host?.hears("chat");
});

test("a client that does not read is cut, and the others do not notice", async () => {
  const party = await its.open();
  const [host, ann] = (await its.company(party, "host", "ann")) as [PartyClient, PartyClient];
  const { ws } = ann.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } };
  ws._socket.pause();
  const packet = { type: 2, data: ["chat", { id: "x", text: "x".repeat(20_000) }], nsp: "/parties" };
  const data = JSON.stringify({ packet, opts: { rooms: [partyChannel(party)], except: [], flags: {} } });
  const entry = ["uid", "emitter", "nsp", "/parties", "type", "3", "data", data];
  for (let n = 0; n < 30; n++) {
    const pipeline = its.world.redis.pipeline();
    for (let each = 0; each < 100; each++) pipeline.xadd(partyBroadcasts, "*", ...entry);
    await pipeline.exec();
    await until(() => host.of("chat").length === (n + 1) * 100);
  }
  await host.hears("member_left", ({ user_id, reason }) => user_id === "ann" && reason === "lost");
  expect(host.socket.connected).toBe(true);
});

test("a Postgres that hangs keeps no room from going on, and no process from being there", async () => {
  const party = await its.open();
  const over = await its.open({}, "bob");
  const [host] = await its.company(party, "host", "ann");
  const bob = await its.client("bob");
  await bob.join(over);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: holds, resolve: nowHeld } = Promise.withResolvers<void>();
  const locking = its.world.db.transaction(async (tx) => {
    await tx.execute("LOCK TABLE watch_party_logs, watch_parties IN ACCESS EXCLUSIVE MODE");
    nowHeld();
    await held;
  });
  await holds;
  await until(async () => (await bob.ask("end")).ok);
  // Longer than a lease: who is given up would be lost.
  const since = Date.now();
  await until(() => Date.now() - since > LEASE_MS * 1.5);
  // Of a process that does not tick: it is for the others to do.
  const connection = (await its.room(party))?.connections.find(({ user_id }) => user_id === "ann")?.id ?? "";
  const other = stranger("other");
  for (let n = 0; n < 2; n++) await other.tell(party, { type: "like", connection, count: 1 });
  await host?.hears("likes", ({ total }) => total === 2);
  expect(host?.of("member_left")).toEqual([]);
  letGo();
  await locking;
  await until(async () => (await its.room(over)) === null, { timeout: 40_000 });
});

test("an ingest that stops says so: nobody waits for its members", async () => {
  const party = await its.open();
  const [host] = await its.company(party, "host");
  const url = await its.world.startIngest();
  const ann = await partyClient({ url, secret: SECRET, user: "ann" });
  its.clients.push(ann);
  await ann.join(party);
  await host?.hears("member_joined", ({ user_id }) => user_id === "ann");
  const began = performance.now();
  const stopped = its.world.services.at(-1)?.stop();
  await host?.hears("member_left", ({ user_id, reason }) => user_id === "ann" && reason === "lost");
  expect(performance.now() - began).toBeLessThan(4_000);
  await stopped;
});

test("while Redis is away nothing is said, and it goes on when it is back", async () => {
  const party = await its.open();
  const [host, ann] = await its.company(party, "host", "ann");
  await host?.ask("chat", { id: "1", text: "before" });
  await ann?.hears("chat");
  await its.world.killRedis();
  expect(await host?.ask("chat", { id: "2", text: "lost" })).toEqual({ refused: "unavailable" });
  expect(await host?.ask("ping", { sent_at: 1 })).toMatchObject({ sent_at: 1 });
  await its.world.restartRedis();
  await until(async () => (await host?.ask("chat", { id: "3", text: "after" }))?.ok);
  await ann?.hears("chat", ({ id }) => id === "3");
  expect(ann?.of("chat").map(({ id }) => id)).toEqual(["1", "3"]);
  expect(host?.socket.connected).toBe(true);
});
