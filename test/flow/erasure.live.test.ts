import { setTimeout as delay } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { Export, Receipt } from "../../db/contract/privacy.ts";
import { busStream, partyLost, partyLostConnection } from "../../db/redis/keys.ts";
import { putContents } from "../support/catalogue.ts";
import { countsOf, drainedUpToNow, finishedErasures, lifeOf } from "../support/lives.ts";
import { type PartyClient, partyClient } from "../support/party-client.ts";
import { openParty } from "../support/party-world.ts";
import { contentOf } from "../support/rows.ts";
import { published } from "../support/sessions.ts";
import { tracesOf } from "../support/traces-of.ts";
import { until } from "../support/until.ts";
import { createWorld, SECRET, type World } from "../support/world.ts";

/** The search module cannot be made to forget a term: the models without it can. */
const SETTINGS = { RATE_LIMIT_PER_MINUTE: "1000000", LOG_LEVEL: "debug", HISTORY_INDEX: "sorted-sets" };

let world: World;
let places: string[];
/** A party of the house, and where its members connect. */
let talks: { party_id: string; urls: string[] };
let house: PartyClient;
beforeAll(async () => {
  world = await createWorld(SETTINGS);
  const others = [await world.startIngest(), await world.startIngest()];
  places = [world.edgeUrl, world.edgeUrl, ...others];
  talks = { party_id: await openParty(world, {}, "house"), urls: [world.ingestUrl, ...others] };
  house = await partyClient({ url: world.ingestUrl, secret: SECRET, user: "house" });
  await house.join(talks.party_id);
  await putContents(world.db, [
    contentOf("film", { title: "Film", sport: null, show: "Films" }),
    contentOf("match", { title: "Match", sport: "cricket", teams: ["A", "B"] }),
  ]);
});
afterAll(async () => {
  house.close();
  await world.stop();
});

let users = 0;
/** Somebody whose id is in nothing else. */
function stranger(): string {
  return `someone-${++users}-to-be-erased`;
}

async function erase(user: string): Promise<Receipt> {
  const response = await world.ask(`/profiles/${user}`, { as: user, method: "DELETE" });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return Receipt.parse(await response.json());
}

async function exportOf(user: string): Promise<Export> {
  return Export.parse(await (await world.ask(`/profiles/${user}/export`, { as: user })).json());
}

const traces = (user: string) => tracesOf(user, { db: world.db, redis: [world.redis] });
const life = (user: string) => lifeOf(world, user, places, talks);

test("of somebody who is erased nothing is left anywhere, and the receipt says what went", async () => {
  const user = stranger();
  const neighbour = stranger();
  await life(user).once();
  await life(neighbour).once();
  await world.drained();
  await life(user).once();
  await world.drained();
  // It is known to the party in every way, and watches while it is erased.
  const { party_id } = talks;
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ co_host_ids: [user, neighbour] });
  const patched = await world.ask(`/parties/${party_id}`, { as: "house", method: "PATCH", headers, body });
  expect(patched.status).toBe(200);
  const watching = await partyClient({ url: talks.urls[1] ?? "", secret: SECRET, user });
  expect(await watching.join(party_id)).toEqual({ ok: true });
  await watching.ask("chat", { id: "last", text: "the last words" });
  expect(await house.ask("mute", { user_id: user, muted: true })).toEqual({ ok: true });
  // What is remembered of a line that broke names its user in no way that a look at Redis would find.
  const lost = await partyClient({ url: talks.urls[2] ?? "", secret: SECRET, user });
  await lost.join(party_id);
  lost.breakLine();
  lost.close();
  await until(async () => (await world.redis.exists(partyLost(user as UserId))) === 1);
  const remembered = (await world.redis.smembers(partyLost(user as UserId))).map(partyLostConnection);
  await until(async () => (await world.redis.exists(...remembered)) > 0);
  const texts = async (as: string): Promise<[string, string | null][]> => {
    const answer = await world.ask(`/parties/${party_id}/messages?limit=500`, { as });
    return ((await answer.json()) as { text: string; user_id: string | null }[]).map((its) => [
      its.text,
      its.user_id,
    ]);
  };
  const before = await texts("house");
  expect(before).toContainEqual(["the last words", user]);
  const inExport = await exportOf(user);
  expect(inExport.parties).toContainEqual(expect.objectContaining({ party_id, part: ["co-host", "member"] }));
  expect(inExport.party_messages.map(({ text }) => text)).toContain("the last words");
  expect(inExport.party_likes.map(({ count }) => count)).toEqual([2, 2]);
  expect(inExport.parties.filter(({ part }) => part.includes("host"))).toHaveLength(2);
  expect((await traces(user)).length).toBeGreaterThan(20);

  const receipt = await erase(user);
  const gone = Object.fromEntries(receipt.stores.map(({ store, erased }) => [store, erased]));
  expect(gone).toMatchObject({ history: 2, history_settings: 1, profile: 1, ratings: 1, quarantine: 0 });
  for (const store of ["sessions", "plays", "watchlist"])
    expect([store, gone[store]]).not.toEqual([store, 0]);
  expect(gone.views).toBeGreaterThan(6);
  expect(gone.bus).toBeGreaterThan(6);
  expect(receipt.not_recalled.map(({ what }) => what)).toContain("Backups");

  await finishedErasures(world.db);
  expect(await traces(user)).toEqual([]);
  const { counted, scanned } = await countsOf(world.db);
  expect(counted).toEqual(scanned);
  expect(await world.redis.exists(...remembered)).toBe(0);
  // What was said stays said, by nobody.
  const after = await texts("house");
  expect(after.map(([text]) => text).sort()).toEqual(before.map(([text]) => text).sort());
  expect(after).toContainEqual(["the last words", null]);
  await until(() => !watching.socket.connected, { what: "the erased to be disconnected" });
  watching.socket.connect();
  expect(await watching.join(party_id)).toMatchObject({ refused: "forbidden" });
  watching.close();
  const party = { title: "T", content_id: "film", visibility: "public", start_time: Date.now() };
  expect((await life(user).ask("/parties", "POST", party)).status).toBe(410);
  const repeated = await world.ask(`/parties/${party_id}`, { as: "house", method: "PATCH", headers, body });
  expect(repeated.status).toBe(410);
  const left = await world.db.execute(sql`
    SELECT status FROM watch_parties WHERE host_id IS NULL AND status NOT IN ('FINISHED', 'CANCELLED')`);
  expect(left).toHaveLength(0);

  const again = await erase(user);
  expect(again.erased_at).toBe(receipt.erased_at);
  // Whoever asks is counted.
  expect(again.stores.filter(({ store, erased }) => erased > 0 && store !== "limits")).toEqual([]);
  await finishedErasures(world.db);
  expect(await traces(user)).toEqual([]);

  expect(await world.history(neighbour)).not.toEqual([]);
  expect((await exportOf(neighbour)).profile?.name).toContain(neighbour);
  expect(world.logged.join("")).not.toContain(user);
});

test("nobody is erased with somebody whose id is alike", async () => {
  const user = stranger();
  const alike = [user.toUpperCase(), `${user}1`, user.slice(0, -1), `${user}:x`];
  for (const one of [user, ...alike]) {
    await world.watched(one, { content_id: "film", playback_time: 120, duration: 600 });
    await life(one).ask(`/profiles/${one}`, "PUT", { name: "alike" });
  }
  await erase(user);
  for (const one of alike) {
    expect(await world.history(one)).toHaveLength(1);
    expect((await exportOf(one)).profile?.name).toBe("alike");
    expect((await published(world.redis)).some(({ subject }) => subject === one)).toBe(true);
  }
  expect(await world.history(user)).toEqual([]);
});

test("an erasure at any moment while everything goes on leaves nothing, and counts what is left", async () => {
  const over = new AbortController();
  const going = [life(stranger()).go(over.signal)];
  try {
    for (let round = 0; round < 5; round++) {
      const user = stranger();
      const its = new AbortController();
      const own = life(user).go(AbortSignal.any([its.signal, over.signal]));
      going.push(own);
      await delay(round === 0 ? 0 : Math.random() * 600);
      await erase(user);
      // Its devices do not know.
      await delay(150);
      its.abort();
      await own;
      await drainedUpToNow(world.redis);
      await finishedErasures(world.db);
      expect([round, await traces(user)]).toEqual([round, []]);
    }
  } finally {
    over.abort();
    await Promise.all(going);
  }
  await world.drained();
  const { counted, scanned } = await countsOf(world.db);
  expect(counted).toEqual(scanned);
  expect(counted.length).toBeGreaterThan(3);
  const failures = world.logged.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50);
  expect(failures).toEqual([]);
}, 240_000);

test("an erased user is a stranger, and is accepted again only when a service puts a new profile", async () => {
  const user = stranger();
  const { ask } = life(user);
  const status = async (path: string, method: string, body?: unknown) =>
    (await ask(path, method, body)).status;
  const watch = (its: object) =>
    status(`/users/${user}/playlists/watchhistory`, "POST", { content_id: "film", duration: 600, ...its });
  const put = async (role: string) => {
    const headers = { "content-type": "application/json" };
    const token = { roles: [role] };
    const its = { as: "somebody", token, method: "PUT", headers, body: JSON.stringify({ name: "New" }) };
    return (await world.ask(`/profiles/${user}`, its)).status;
  };

  await watch({ playback_time: 300 });
  await world.drained();
  const before = Date.now();
  await erase(user);
  const session = { user_id: user, content_id: "film", device_id: "tv", duration_seconds: 600 };
  expect(await status(`/profiles/${user}`, "PUT", { name: "Me" })).toBe(410);
  expect(await status(`/profiles/${user}/watchlist`, "POST", { content_id: "film" })).toBe(410);
  expect(await status(`/profiles/${user}/ratings`, "POST", { content_id: "film", rating: 3 })).toBe(410);
  expect(await status("/api/v1/sessions", "POST", session)).toBe(410);
  expect(await watch({ playback_time: 310 })).toBe(202);
  await world.drained();

  const empty = { watchlist: [], ratings: [], history: [], plays: [], sessions: [], profile: null };
  expect(await exportOf(user)).toMatchObject(empty);
  expect(await status(`/profiles/${user}`, "GET")).toBe(404);
  for (const path of ["watchhistory", "continue-watching", "next-up", "watchhistory?sport=cricket"]) {
    expect([path, await (await ask(`/users/${user}/${path}`)).json()]).toEqual([path, []]);
  }
  const changes = await (await ask(`/users/${user}/changes?since=another.7`)).json();
  expect(changes).toMatchObject({ changes: [], reset: true, has_more: false });
  expect(await status(`/users/${user}/changes?since=${(changes as { cursor: string }).cursor}`, "GET")).toBe(
    200,
  );

  // It is still under way.
  expect(await put("service")).toBe(503);
  await finishedErasures(world.db);
  // Whoever goes on asking leaves nothing either.
  for (const look of life(user).looks) await look();
  expect(await traces(user)).toEqual([]);
  expect(await put("support")).toBe(403);
  expect(await status(`/profiles/${user}`, "PUT", { name: "Me" })).toBe(410);
  expect(await put("service")).toBe(200);

  // What a device kept from the time before stays away, also when it comes with what is new.
  const at = (ms: number) => new Date(ms).toISOString();
  await world.watched(
    user,
    { content_id: "old", playback_time: 60, duration: 600, occurred_at: at(before) },
    { content_id: "film", playback_time: 590, duration: 600, occurred_at: at(before) },
    { content_id: "film", playback_time: 200, duration: 600 },
  );
  expect(await world.history(user)).toMatchObject([
    { content_id: "film", playback_time: 200, completed: false },
  ]);
  expect((await exportOf(user)).plays).toHaveLength(1);
  expect(await status("/api/v1/sessions", "POST", session)).toBe(201);
  expect(await status(`/profiles/${user}/watchlist`, "POST", { content_id: "film" })).toBe(201);
  const { counted, scanned } = await countsOf(world.db);
  expect(counted).toEqual(scanned);

  // And it can be erased again.
  const first = await world.db.execute(sql`SELECT max(accepted_at) AS at FROM erased`);
  expect(Date.parse((await erase(user)).erased_at)).toBeGreaterThanOrEqual(Number(first[0]?.at));
  await finishedErasures(world.db);
  expect(await traces(user)).toEqual([]);
});

test("where there is a search index, the receipt says that its terms stay", async () => {
  const other = await createWorld({ HISTORY_INDEX: "redisearch" });
  try {
    const user = stranger();
    await putContents(other.db, [
      contentOf("match", { title: "Match", sport: "cricket", teams: ["A", "B"] }),
    ]);
    await other.watched(user, { content_id: "match", playback_time: 120, duration: 600 });
    await other.history(user);
    const response = await other.ask(`/profiles/${user}`, { as: user, method: "DELETE" });
    const { not_recalled } = Receipt.parse(await response.json());
    expect(not_recalled.map(({ what }) => what)).toContain("Terms of the search index");
    await finishedErasures(other.db);
    const left = await tracesOf(user, { db: other.db, redis: [other.redis] });
    expect(left.filter((its) => !its.startsWith('redis ["tag:wh:idx/user"'))).toEqual([]);
  } finally {
    await other.stop();
  }
});

test("a session that somebody brings in past the mark ends without a word", async () => {
  const user = stranger();
  await erase(user);
  const id = `session-of-${users}`;
  const at = Date.now() - 400_000;
  const session = {
    id,
    user_id: user,
    content_id: "film",
    device_id: "tv",
    position_seconds: 60,
    reports: 1,
  };
  await world.redis.hset(`ps:session:{stream:watch-history}:${id}`, {
    ...session,
    started_at: at,
    updated_at: at,
  });
  await world.redis.zadd("ps:due:{stream:watch-history}", at, id);
  await world.drained();
  const length = await world.redis.xlen(busStream);
  const response = await world.ask(`/api/v1/sessions/${id}`, { as: user, method: "DELETE" });
  expect(response.status).toBe(204);
  expect(await world.redis.xlen(busStream)).toBe(length);
  await finishedErasures(world.db);
  expect(await traces(user)).toEqual([]);
});
