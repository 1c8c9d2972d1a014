import { afterAll, beforeAll, expect, test } from "vitest";
import type { PartyClient } from "../support/party-client.ts";
import { createPartyWorld, type PartyWorld } from "../support/party-world.ts";
import { until } from "../support/until.ts";

let its: PartyWorld;
beforeAll(async () => {
  its = await createPartyWorld({ PARTY_CAPACITY: "3" });
});
afterAll(async () => await its?.stop());

async function companyOf(...users: string[]) {
  const party = await its.open();
  const all = await its.company(party, "host", ...users);
  const [host, ann, bob] = all as [PartyClient, PartyClient, PartyClient];
  return { party, all, host, ann, bob };
}

/** The playback that a client knows of. */
function known(client: PartyClient) {
  const states = client.of("state").toSorted((one, other) => one.rev - other.rev);
  const { rev, revision = 0, playing, position, at } = states.at(-1) ?? {};
  return { rev, revision, playing, position, at };
}

test("what one says everybody hears, wherever they are served, and in one order", async () => {
  const { all, ann, bob } = await companyOf("ann", "bob");
  await Promise.all([
    ...[1, 2, 3, 4, 5].map((n) => ann.ask("chat", { id: `a${n}`, text: `ann ${n}` })),
    ...[1, 2, 3, 4, 5].map((n) => bob.ask("chat", { id: `b${n}`, text: `bob ${n}` })),
  ]);
  for (const client of all) await until(() => client.of("chat").length === 10);
  const orders = all.map((client) =>
    client
      .of("chat")
      .map(({ id }) => id)
      .join(" "),
  );
  expect(new Set(orders).size).toBe(1);
  const first = ann.of("chat").find(({ id }) => id === "a1");
  expect(first).toMatchObject({ user_id: "ann", name: null, text: "ann 1", media_time: 0 });
});

test("who comes is told everything, and the others that somebody came", async () => {
  const { host, ann } = await companyOf("ann");
  expect(ann.of("state")[0]).toMatchObject({
    members: [{ user_id: "host" }, { user_id: "ann" }],
    viewers: 1,
  });
  await host.hears("member_joined", ({ user_id }) => user_id === "ann");
  await host.hears("viewers", ({ count }) => count === 2);
});

test("a second device is no second member, and a party is left with the last", async () => {
  const { party, host, ann } = await companyOf("ann");
  const phone = await its.client("ann", 0);
  expect(await phone.join(party)).toEqual({ ok: true });
  await phone.ask("leave");
  expect(await phone.ask("chat", { id: "1", text: "gone" })).toEqual({ refused: "not_joined" });
  await ann.ask("leave");
  await host.hears("member_left", ({ user_id, reason }) => user_id === "ann" && reason === "left");
  expect(host.of("member_joined").filter(({ user_id }) => user_id === "ann")).toHaveLength(1);
});

test("play, seek and pause reach everybody with one time at which they take effect", async () => {
  const { all, host } = await companyOf("ann", "bob");
  for (const client of all) await client.ask("ready", { revision: 0 });
  expect(await host.ask("play", { revision: 0 })).toEqual({ ok: true });
  for (const client of all) await client.hears("state", ({ playing }) => playing);
  await host.ask("seek", { revision: known(host).revision, position: 60 });
  await host.hears("state", ({ position }) => position === 60);
  for (const client of all) await client.ask("ready", { revision: known(host).revision });
  await host.hears("state", ({ playing, position }) => playing && position === 60);
  await host.ask("pause", { revision: known(host).revision });
  for (const client of all) await client.hears("state", ({ revision }) => revision === 5);
  expect(new Set(all.map((client) => JSON.stringify(known(client)))).size).toBe(1);
  expect(known(host)).toMatchObject({ playing: false });
  expect(known(host).position).toBeGreaterThanOrEqual(60);
  // What was said to an earlier playback is dropped.
  expect(await host.ask("play", { revision: 0 })).toEqual({ refused: "stale" });
});

test("who is never ready is waited for, but not for ever", async () => {
  const { host, ann } = await companyOf("ann");
  await host.ask("play", { revision: 0 });
  await ann.hears("state", ({ waiting }) => waiting !== null);
  await ann.hears("state", ({ playing }) => playing);
});

test("likes are counted, and told together", async () => {
  const { host, ann } = await companyOf("ann");
  await Promise.all([ann.ask("like"), ann.ask("like", { count: 4 }), host.ask("like", { count: 2 })]);
  await host.hears("likes", ({ total }) => total === 7);
  await ann.hears("likes", ({ total }) => total === 7);
  expect(host.of("likes").length).toBeLessThanOrEqual(3);
});

test("who is sent away hears no more, and does not come back; who is muted may watch", async () => {
  const { party, host, ann, bob } = await companyOf("ann", "bob");
  expect(await ann.ask("kick", { user_id: "bob" })).toEqual({ refused: "forbidden" });
  expect(await host.ask("kick", { user_id: "ann" })).toEqual({ ok: true });
  await ann.hears("member_left", ({ user_id, reason }) => user_id === "ann" && reason === "kicked");
  await host.ask("mute", { user_id: "bob", muted: true });
  await bob.hears("member_muted");
  expect(await bob.ask("chat", { id: "1", text: "x" })).toEqual({ refused: "muted" });
  await host.ask("chat", { id: "1", text: "without ann" });
  await bob.hears("chat");
  expect(ann.of("chat")).toEqual([]);
  expect(await ann.ask("chat", { id: "1", text: "x" })).toEqual({ refused: "not_joined" });
  expect(await ann.join(party)).toEqual({ refused: "kicked" });
  // The connection lives on, for another party.
  expect(await ann.join(await its.open())).toEqual({ ok: true });
});

test("a party that is full is full at both ingests", async () => {
  const { party } = await companyOf("ann", "bob");
  const late = await its.client("late", 1);
  expect(await late.join(party)).toEqual({ refused: "full" });
  expect(late.of("state")).toEqual([]);
});

test("the host leaves, and a co-host leads, or whoever came first", async () => {
  const { host, ann, bob } = await companyOf("ann", "bob");
  await host.ask("leave");
  await bob.hears("state", ({ host_id }) => host_id === "ann");
  expect(await ann.ask("play", { revision: 0 })).toEqual({ ok: true });
  expect(await bob.ask("pause", { revision: 1 })).toEqual({ refused: "forbidden" });
});

test("a party that its host ends is over: at once in the room, in Postgres, for whoever says something later", async () => {
  const { party, host, ann } = await companyOf("ann");
  await ann.ask("chat", { id: "last", text: "bye" });
  expect(await host.ask("end")).toEqual({ ok: true });
  await ann.hears("ended", ({ reason }) => reason === "host");
  expect(await ann.ask("chat", { id: "late", text: "?" })).toEqual({ refused: "finished" });
  await until(async () => (await its.room(party)) === null, { what: "the room to be closed" });
  expect(await ann.ask("chat", { id: "later", text: "?" })).toEqual({ refused: "finished" });
  expect(await (await its.client("eve")).join(party)).toEqual({ refused: "finished" });
  expect(
    await its.world.db.execute(
      `SELECT status, flushed_at > 0 AS flushed FROM watch_parties WHERE party_id = '${party}'`,
    ),
  ).toMatchObject([{ status: "FINISHED", flushed: true }]);
  const said = await its.world.db.execute(
    `SELECT text FROM watch_party_messages WHERE party_id = '${party}'`,
  );
  expect(said).toMatchObject([{ text: "bye" }]);
});

test("a line that breaks for a moment is mended: nothing is missed, and nothing comes twice", async () => {
  const { host, ann } = await companyOf("ann");
  await host.ask("chat", { id: "1", text: "before" });
  await ann.hears("chat");
  ann.breakLine();
  await host.hears("member_left", ({ user_id, reason }) => user_id === "ann" && reason === "lost");
  for (let n = 2; n < 20; n++) await host.ask("chat", { id: String(n), text: "meanwhile" });
  await until(() => ann.socket.connected);
  await host.ask("chat", { id: "20", text: "after" });
  await ann.hears("chat", ({ id }) => id === "20");
  expect(ann.socket.recovered).toBe(true);
  expect(ann.of("chat").map(({ id }) => Number(id))).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  // At once, not only when somebody looks after the room.
  const again = () => host.of("member_joined").filter(({ user_id }) => user_id === "ann").length === 2;
  await until(again, { timeout: 2_000 });
  expect(await ann.ask("chat", { id: "x", text: "still in" })).toEqual({ ok: true });
});

test("ping tells the time, without Redis", async () => {
  const ann = await its.client("ann");
  const { sent_at, server_time } = await ann.ask("ping", { sent_at: 12.5 });
  expect(sent_at).toBe(12.5);
  expect(Math.abs((server_time ?? 0) - Date.now())).toBeLessThan(1_000);
});

test("its metrics count who came, what was said and what waits", async () => {
  await companyOf("ann");
  const text = await (await fetch(`${its.urls[0]}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
  expect(value("watch_party_joined_total")).toBeGreaterThan(0);
  expect(value("watch_party_left_total")).toBeGreaterThan(0);
  expect(value("watch_party_broadcast_latency_ms_count")).toBeGreaterThan(0);
  expect(value("watch_party_flush_duration_ms_count")).toBeGreaterThan(0);
  expect(value("watch_party_failed_flushes_total")).toBe(0);
  await until(async () => {
    const now = await (await fetch(`${its.urls[0]}/metrics`)).text();
    const at = (name: string) => Number(new RegExp(`^${name} (.*)$`, "m").exec(now)?.[1]);
    return at("watch_party_active_instances") > 0 && at("watch_party_buffered_events_count") > 0;
  });
});
