import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../../db/postgres/connect.ts";
import { partyRoomKey } from "../../db/redis/keys.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { type PartyClient, partyClient } from "../support/party-client.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/** A connection may say 20 things a second. */
const SPEAK_EVERY_MS = 60;
const KILLS = 8;

let stack: Stack;
beforeAll(async () => {
  // Flushes all the time, so that processes die in the middle of that as well.
  stack = await startStack({ ingests: 2, env: { WATCH_PARTY_FLUSH_INTERVAL_MINUTES: "0.01" } });
}, 120_000);
afterAll(async () => await stack?.stop());

test("whatever dies, whenever: all that anybody heard, and all that was acknowledged, is in Postgres, and everybody heard all of it", async () => {
  const { db, close } = connect(stack.postgres.url, { max: 2 });
  const redis = connectRedis(stack.redis.url);
  const party_id = await openParty(redis);
  const clients = await Promise.all(
    ["host", "ann", "bob", "eve"].map((user, n) => member(user, stack.ingests[n % 2]?.url ?? "", party_id)),
  );
  const acknowledged = new Set<string>();
  const over = new AbortController();
  const talking = clients.map((client) => talk(client, { acknowledged, over: over.signal }));
  const heard = () => clients.reduce((sum, client) => sum + client.of("chat").length, 0);

  for (let n = 0; n < KILLS; n++) {
    const target = heard() + 20 + Math.floor(Math.random() * 80);
    await until(() => heard() >= target, { timeout: 30_000, what: `message ${target} after ${n} kills` });
    const victim = n === KILLS / 2 ? stack.redis : stack.ingests[n % 2];
    await victim?.kill();
    await victim?.restart();
  }
  const target = heard() + 100;
  await until(() => heard() >= target, { timeout: 30_000, what: "everybody to be back" });
  over.abort();
  await Promise.all(talking);
  const ids = (client: PartyClient) =>
    new Set(client.of("chat").map(({ user_id, id }) => `chat:${user_id}:${id}`));
  await until(() => clients.every((client) => acknowledged.isSubsetOf(ids(client))), {
    timeout: 15_000,
    what: "everybody to have heard everything",
  }).catch((error) => {
    const missed = clients.map((client) => [
      client.user,
      [...acknowledged.difference(ids(client))].slice(0, 5),
    ]);
    throw new Error(`${JSON.stringify(missed)} of ${acknowledged.size}`, { cause: error });
  });

  await until(async () => (await clients[0]?.ask("end"))?.refused !== "unavailable");
  await until(
    async () => {
      const rows = await db.execute(`SELECT flushed_at FROM watch_parties WHERE party_id = '${party_id}'`);
      return Number(rows[0]?.flushed_at) > 0;
    },
    { timeout: 30_000, what: "all of it to be in Postgres" },
  );
  const rows = await db.execute<{ event_id: string }>(
    `SELECT event_id FROM watch_party_messages WHERE party_id = '${party_id}'`,
  );
  const stored = new Set(rows.map(({ event_id }) => event_id));
  expect(acknowledged.size).toBeGreaterThan(100);
  expect([...acknowledged.difference(stored)]).toEqual([]);
  for (const client of clients) expect([...ids(client).difference(stored)]).toEqual([]);
  expect(await redis.exists(partyRoomKey(party_id))).toBe(0);

  for (const client of clients) client.close();
  redis.disconnect();
  await close();
}, 240_000);

/** Joins, and again whenever the line was lost for so long that it could not be mended. */
async function member(user: string, url: string, party_id: string): Promise<PartyClient> {
  const client = await partyClient({ url, secret: stack.secret, user });
  const join = () => until(async () => (await client.join(party_id)).ok === true, { timeout: 30_000 });
  client.socket.on("connect", () => {
    if (!client.socket.recovered) void join().catch(() => {});
  });
  await join();
  return client;
}

/** Says one thing after the other, each again and again until it is acknowledged. */
async function talk(
  { socket, user }: PartyClient,
  { acknowledged, over }: { acknowledged: Set<string>; over: AbortSignal },
): Promise<void> {
  for (let n = 0; !over.aborted; n++) {
    const message = { id: String(n), text: `${user} says ${n}` };
    await until(
      async () => {
        const [answer] = await Promise.all([
          socket.timeout(2_000).emitWithAck("chat", message),
          new Promise((resolve) => setTimeout(resolve, SPEAK_EVERY_MS)),
        ]);
        return answer.ok === true;
      },
      { timeout: 60_000, what: `${user} to say ${n}` },
    );
    acknowledged.add(`chat:${user}:${n}`);
  }
}

async function openParty(redis: ReturnType<typeof connectRedis>): Promise<string> {
  const headers = {
    authorization: `Bearer ${await tokenFor(stack.secret, "host")}`,
    "content-type": "application/json",
  };
  const its = { title: "A party", content_id: "sintel", visibility: "public", start_time: Date.now() };
  const made = await fetch(`${stack.ingests[0]?.url}/parties`, {
    method: "POST",
    headers,
    body: JSON.stringify(its),
  });
  const { party_id } = (await made.json()) as { party_id: string };
  await until(async () => (await redis.exists(partyRoomKey(party_id))) === 1);
  return party_id;
}
