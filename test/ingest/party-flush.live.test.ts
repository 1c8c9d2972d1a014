import { afterEach, expect, test } from "vitest";
import { partiesDue, partyBuffer, partyDead, partyRoomKey } from "../../db/redis/keys.ts";
import { createPartyWorld, type PartyWorld } from "../support/party-world.ts";
import { until } from "../support/until.ts";

const SOON = { WATCH_PARTY_FLUSH_INTERVAL_MINUTES: "0.005", LOG_LEVEL: "info" };
const NEVER = { WATCH_PARTY_FLUSH_INTERVAL_MINUTES: "1000", LOG_LEVEL: "info" };
let its: PartyWorld;
afterEach(async () => await its?.stop());

async function texts(party_id: string): Promise<string[]> {
  const rows = await its.world.db.execute<{ text: string }>(
    `SELECT text FROM watch_party_messages WHERE party_id = '${party_id}' ORDER BY at, event_id`,
  );
  return rows.map(({ text }) => text);
}

const buffered = (party_id: string) => its.world.redis.xlen(partyBuffer(party_id));

test("what happens is in Postgres after a while, each once, with who was there; the buffer is let go of", async () => {
  its = await createPartyWorld(SOON);
  const party = await its.open();
  const [host, ann] = await its.company(party, "host", "ann");
  await host?.ask("chat", { id: "1", text: `"quotes", {braces}, \\, NULL, 😀` });
  await ann?.ask("like", { count: 3 });
  // Sent again, because its answer was lost: it is one message.
  await host?.ask("chat", { id: "1", text: `"quotes", {braces}, \\, NULL, 😀` });
  await ann?.ask("leave");
  await until(async () => (await texts(party)).length > 0 && (await buffered(party)) === 0);
  expect(await texts(party)).toEqual([`"quotes", {braces}, \\, NULL, 😀`]);
  expect(await its.world.redis.exists(partyDead)).toBe(0);
  const rows = (table: string) => its.world.db.execute(`SELECT * FROM ${table} WHERE party_id = '${party}'`);
  await until(async () => (await rows("watch_party_members")).some(({ left_at }) => Number(left_at) > 0));
  expect(await rows("watch_party_likes")).toMatchObject([{ user_id: "ann", count: 3 }]);
  expect((await rows("watch_party_logs")).map(({ event }) => event)).toEqual(
    expect.arrayContaining(["opened", "joined", "host", "left"]),
  );
  const members = (await rows("watch_party_members")) as unknown as {
    user_id: string;
    joined_at: number;
    left_at: number;
  }[];
  const left = Object.fromEntries(
    members.map(({ user_id, joined_at, left_at }) => [user_id, [joined_at > 0, left_at > joined_at]]),
  );
  expect(left).toEqual({ host: [true, false], ann: [true, true] });
  expect(its.world.logged.join("")).toMatch(/flush started.*flush succeeded/s);
});

test("two ingests that flush the same at once store it once", async () => {
  its = await createPartyWorld(NEVER);
  const party = await its.open();
  const [host] = await its.company(party, "host");
  for (let n = 0; n < 20; n++) await host?.ask("chat", { id: String(n), text: `n${n}` });
  // Stopping, both bring it to Postgres.
  await Promise.all(its.world.services.map((service) => service.stop()));
  expect(new Set(await texts(party)).size).toBe(20);
  expect(await texts(party)).toHaveLength(20);
  expect(await buffered(party)).toBe(0);
});

test("while Postgres is away it is kept, and brought there afterwards", async () => {
  its = await createPartyWorld(SOON);
  const party = await its.open();
  const [host] = await its.company(party, "host");
  const away = (on: boolean) =>
    its.world.db.execute(
      `ALTER TABLE watch_party_messages RENAME TO ${on ? "watch_party_messages_away" : "watch_party_messages"}`,
    );
  await away(true);
  expect(await host?.ask("chat", { id: "1", text: "kept" })).toEqual({ ok: true });
  await until(() => its.world.logged.some((line) => line.includes("flush failed")));
  expect(await buffered(party)).toBeGreaterThan(0);
  await its.world.db.execute("ALTER TABLE watch_party_messages_away RENAME TO watch_party_messages");
  await until(async () => (await texts(party)).includes("kept"), { timeout: 20_000 });
  const metrics = await Promise.all(
    its.urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()),
  );
  expect(metrics.join("")).toMatch(/watch_party_failed_flushes_total [1-9]/);
});

test("a record that nobody can store waits for a person, its neighbours do not", async () => {
  its = await createPartyWorld(NEVER);
  const party = await its.open();
  const { redis } = its.world;
  const record = (event_id: string, more: object) =>
    JSON.stringify({
      party_id: party,
      event_id,
      at: 1,
      media_time: 0,
      user_id: "ann",
      kind: "chat",
      id: event_id,
      name: null,
      text: "x",
      ...more,
    });
  for (const text of [
    "not JSON",
    record("1", { text: "one" }),
    record("2", { text: "a\0b" }),
    record("3", { kind: "?" }),
    record("4", { text: "four" }),
  ]) {
    await redis.xadd(partyBuffer(party), "*", "record", text);
  }
  await redis.xadd(partyBuffer(party), "*", "record", record("5", { kind: "like", count: 1e12 }));
  // Both bring it there at once, and neither sets anything aside twice.
  await Promise.all(its.world.services.map((service) => service.stop()));
  expect(await texts(party)).toEqual(["one", "four"]);
  expect(await buffered(party)).toBe(0);
  const dead = await redis.xrange(partyDead, "-", "+");
  const reasons = dead.map(([, fields]) => fields[fields.indexOf("reason") + 1]);
  expect(reasons).toEqual(
    expect.arrayContaining([
      "not JSON",
      expect.stringMatching(/^kind: /),
      expect.stringMatching(/^invalid byte sequence/),
      expect.stringMatching(/out of range$/),
    ]),
  );
  expect(reasons).toHaveLength(4);
});

test("a party whose end was interrupted anywhere is finished with by whoever comes next", async () => {
  its = await createPartyWorld(NEVER);
  const party = await its.open();
  const [host] = await its.company(party, "host");
  await host?.ask("chat", { id: "1", text: "last words" });
  const { redis, services } = its.world;
  await Promise.all(services.map((service) => service.stop()));
  // The host ended it, and all ingests died before anything followed from that.
  const room = JSON.parse((await redis.hget(partyRoomKey(party), "room")) ?? "{}");
  await redis.hset(partyRoomKey(party), "room", JSON.stringify({ ...room, ended: { reason: "host" } }));
  await redis.zadd(partiesDue, 0, party);
  await its.world.startIngest();
  await until(async () => (await redis.exists(partyRoomKey(party), partyBuffer(party))) === 0);
  await until(async () => {
    const rows = await its.world.db.execute(
      `SELECT status, flushed_at FROM watch_parties WHERE party_id = '${party}'`,
    );
    return rows[0]?.status === "FINISHED" && Number(rows[0]?.flushed_at) > 0;
  });
  expect(await texts(party)).toEqual(["last words"]);
  expect(await redis.zscore(partiesDue, party)).toBe(null);
});

test("a stop does not wait for a Postgres that is away longer than it may", async () => {
  its = await createPartyWorld({ ...NEVER, WATCH_PARTY_SHUTDOWN_FLUSH_TIMEOUT_MS: "300" });
  const party = await its.open();
  const [host] = await its.company(party, "host");
  await host?.ask("chat", { id: "1", text: "kept" });
  // Somebody holds the table: whoever flushes hangs.
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: holds, resolve: nowHeld } = Promise.withResolvers<void>();
  const locking = its.world.db.transaction(async (tx) => {
    await tx.execute("LOCK TABLE watch_party_messages IN ACCESS EXCLUSIVE MODE");
    nowHeld();
    await held;
  });
  await holds;
  const began = performance.now();
  const stopped = its.world.services[0]?.stop();
  await until(() => its.world.logged.some((line) => line.includes("it waits in Redis")));
  expect(performance.now() - began).toBeLessThan(4_000);
  letGo();
  await stopped;
  await locking;
});
