import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as z from "zod";
import { parseFixtures } from "../../commands/football.ts";
import { ContentInput } from "../../db/contract/contents.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import { NextFixture, NextUpItem } from "../../db/contract/next-up.ts";
import { nextUpKey } from "../../db/redis/keys.ts";
import { storeContents } from "../../ingest/library/store-contents.ts";
import { evict } from "../../ingest/views/evict.ts";
import { allowConnections, disconnect } from "../support/connections.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** Case 23, through the edge, on real stores. */

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  await world.stop();
});

const now = Date.now();
const DAY = 86_400_000;
let viewers = 0;
let shows = 0;
/** A viewer whom no other test knows, and who has a view. */
async function someone(): Promise<string> {
  const viewer = `viewer-${++viewers}`;
  await world.history(viewer);
  return viewer;
}

describe("case 23: next up", () => {
  test("the one after the last finished, with what the catalogue says of it", async () => {
    const viewer = await someone();
    const show = await newShow("1x1", "1x2", "2x1");
    await world.watched(viewer, finish(`${show}-1x1`, 60));
    const answer = await ask(viewer);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(answer.headers.get("vary")).toBe("Origin, Authorization");
    const items = NextUpItem.array().parse(await answer.json());
    expect(items).toEqual([
      {
        ...{ content_id: `${show}-1x2`, kind: "episode", title: "1x2", thumbnail: null, duration: 2_400 },
        ...{ sport: null, series: null, teams: [], show, season: 1, episode: 2 },
        ...{ credits_at: null, released_at: null, last_watched_at: new Date(now - 60_000).toISOString() },
      },
    ]);
    await world.watched(viewer, finish(`${show}-1x2`, 50));
    expect(await next(viewer)).toEqual([`${show}-2x1`]);
    await world.watched(viewer, finish(`${show}-2x1`, 40));
    expect(await next(viewer)).toEqual([]);
  });

  test("skips missing and unreleased episodes; one that is released is there", async () => {
    const viewer = await someone();
    const show = await newShow("1x1", "1x4", "1x5");
    const released_at = Date.now() + 1_500;
    await manage("PUT", `${show}-1x3`, { ...episode(show, "1x3"), released_at });
    await world.watched(viewer, finish(`${show}-1x1`, 60));
    expect(await next(viewer)).toEqual([`${show}-1x4`]);
    expect(await isKept(viewer)).toBe(true);
    await until(() => Date.now() >= released_at);
    expect(await next(viewer)).toEqual([`${show}-1x3`]);
  });

  test("what is in progress is not here; what was only looked into is", async () => {
    const viewer = await someone();
    const show = await newShow("1x1", "1x2", "1x3");
    await world.watched(viewer, finish(`${show}-1x1`, 60));
    await world.watched(viewer, { ...finish(`${show}-1x2`, 50), playback_time: 10 });
    expect(await next(viewer)).toEqual([`${show}-1x2`]);
    await world.watched(viewer, { ...finish(`${show}-1x2`, 40), playback_time: 1_000 });
    expect(await next(viewer)).toEqual([]);
    expect(await continued(viewer)).toEqual([`${show}-1x2`]);
    await change(viewer, "POST", `continue-watching/${show}-1x2/dismissed`);
    expect([await continued(viewer), await next(viewer)]).toEqual([[], []]);
    await world.watched(viewer, finish(`${show}-1x2`, 30));
    expect(await next(viewer)).toEqual([`${show}-1x3`]);
  });

  async function continued(viewer: string): Promise<string[]> {
    const answer = await world.ask(`/users/${viewer}/continue-watching`, { as: viewer });
    return ((await answer.json()) as { content_id: string }[]).map(({ content_id }) => content_id);
  }

  test("out of order works, and so does watching again", async () => {
    const viewer = await someone();
    const show = await newShow("1x1", "1x2", "1x3", "1x4", "1x5", "1x6");
    const watch = async (number: string, secondsAgo: number, play_id = number) =>
      await world.watched(viewer, { ...finish(`${show}-${number}`, secondsAgo), play_id });
    for (const [at, number] of ["1x1", "1x2", "1x5", "1x3"].entries()) await watch(number, 60 - at);
    expect(await next(viewer)).toEqual([`${show}-1x4`]);
    await watch("1x4", 50);
    expect(await next(viewer)).toEqual([`${show}-1x6`]);
    await watch("1x6", 45);
    expect(await next(viewer)).toEqual([]);
    await watch("1x1", 40, "again");
    expect(await next(viewer)).toEqual([`${show}-1x2`]);
    await watch("1x2", 35, "again");
    expect(await next(viewer)).toEqual([`${show}-1x3`]);
  });

  test("marks count: one, a whole season, and none any more", async () => {
    const viewer = await someone();
    const show = await newShow("0x1", "1x1", "1x2", "1x3", "2x1", "2x2");
    const marks = ["1x1", "1x2", "1x3"].map((number) => ({ content_id: `${show}-${number}` }));
    await change(viewer, "POST", "watchhistory/watched", { marks });
    expect(await next(viewer)).toEqual([`${show}-2x1`]);
    await change(viewer, "PUT", `watchhistory/${show}-2x1/watched`);
    expect(await next(viewer)).toEqual([`${show}-2x2`]);
    await change(viewer, "DELETE", `watchhistory/${show}-2x1/watched`);
    expect(await next(viewer)).toEqual([`${show}-2x1`]);
    for (const { content_id } of marks) await change(viewer, "DELETE", `watchhistory/${content_id}/watched`);
    expect(await next(viewer)).toEqual([]);
  });

  test("what is forgotten does not count, one or all of it", async () => {
    const viewer = await someone();
    const show = await newShow("1x1", "1x2", "1x3");
    await world.watched(viewer, finish(`${show}-1x1`, 60), finish(`${show}-1x2`, 50));
    expect(await next(viewer)).toEqual([`${show}-1x3`]);
    await change(viewer, "DELETE", `watchhistory/${show}-1x2`);
    expect(await next(viewer)).toEqual([`${show}-1x2`]);
    await change(viewer, "DELETE", "watchhistory");
    expect(await next(viewer)).toEqual([]);
  });

  test("shows in the order of their last finish, as many as are asked for", async () => {
    const viewer = await someone();
    const three = [await newShow("1x1", "1x2"), await newShow("1x1", "1x2"), await newShow("1x1", "1x2")];
    await world.watched(viewer, ...three.map((show, at) => finish(`${show}-1x1`, 60 + (at % 2) - at * 2)));
    const inOrder = three.map((show) => `${show}-1x2`).toReversed();
    expect(await next(viewer)).toEqual(inOrder);
    expect(await next(viewer, "?limit=2")).toEqual(inOrder.slice(0, 2));
    expect(await next(viewer, "?limit=100&kind=episodes")).toEqual(inOrder);
  });
});

describe("sport", () => {
  test("the next fixtures of the teams that are followed most, of a real season", async () => {
    const viewer = await someone();
    const kickoff = ({ released_at }: { released_at: number | null }) => released_at ?? 0;
    const season = fixtures().toSorted((a, b) => kickoff(a) - kickoff(b));
    // The first half of the season is over.
    const shift = now + DAY - kickoff(season[season.length / 2] ?? { released_at: 0 });
    const shifted = season.map((its) => ({ ...its, released_at: kickoff(its) + shift }));
    await storeContents(world.db, shifted);
    const past = shifted.filter(({ released_at }) => released_at < now);
    const of = (team: string, list: typeof shifted) => list.filter(({ teams }) => teams.includes(team));
    const watched = [...of("Arsenal FC", past).slice(0, 5), ...of("Everton FC", past).slice(0, 3)];
    await world.watched(
      viewer,
      ...watched.map(({ content_id }, at) => ({
        content_id,
        playback_time: 60,
        duration: 7_200,
        occurred_at: now - at,
      })),
    );

    const answer = await ask(viewer, "?kind=sport");
    const found = NextFixture.array().parse(await answer.json());
    expect(found.length).toBeGreaterThan(3);
    expect(found[0]?.team).toBe("Arsenal FC");
    expect(found.map(({ team }) => team)).toContain("Everton FC");
    expect(new Set(found.map(({ content_id }) => content_id)).size).toBe(found.length);
    const coming = shifted.filter(({ released_at }) => released_at > Date.now());
    for (const { team, content_id, kind } of found) {
      const first = of(team, coming).toSorted(
        (a, b) => a.released_at - b.released_at || (a.content_id < b.content_id ? -1 : 1),
      )[0];
      expect([team, content_id, kind]).toEqual([team, first?.content_id, "match"]);
    }

    await change(viewer, "PUT", `watchhistory/${found[0]?.content_id}/watched`);
    const after = await next(viewer, "?kind=sport");
    expect(after[0]).toBe(
      of("Arsenal FC", coming).toSorted((a, b) => a.released_at - b.released_at)[1]?.content_id,
    );
    expect(await next(viewer, "?kind=sport&limit=1")).toEqual(after.slice(0, 1));
    expect(await next(viewer)).toEqual([]);
  });
});

test("of sport, a broadcast that is still to come is a fixture like a match; a clip is not", async () => {
  const viewer = await someone();
  const facts = { sport: "curling", teams: ["Stones"] };
  const later = (days: number) => now + days * DAY;
  await storeContents(world.db, [
    contentOf({ ...facts, content_id: "seen", kind: "match", released_at: now - DAY }),
    contentOf({ ...facts, content_id: "a-clip", kind: "clip", released_at: later(1) }),
    contentOf({ ...facts, content_id: "a-broadcast", kind: "live", released_at: later(2) }),
    contentOf({ ...facts, content_id: "a-match", kind: "match", released_at: later(3) }),
  ]);
  await world.watched(viewer, { content_id: "seen", playback_time: 60, duration: 7_200 });
  expect(await next(viewer, "?kind=sport")).toEqual(["a-broadcast"]);
});

describe("what is kept", () => {
  test("answers without Postgres, which nobody else gets around", async () => {
    const [kept, other] = [await someone(), await someone()];
    const show = await newShow("1x1", "1x2");
    await world.watched(kept, finish(`${show}-1x1`, 60));
    await catalogueAtRest();
    const before = await next(kept);
    expect(before).toEqual([`${show}-1x2`]);
    await allowConnections(world.database, false);
    await disconnect(world.database, "idle");
    try {
      expect(await next(kept)).toEqual(before);
      const answer = await ask(other);
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await answer.json()).toMatchObject({
        code: "unavailable",
        detail: "the history is out of reach",
      });
    } finally {
      await allowConnections(world.database, true);
    }
    await until(async () => (await ask(other)).status === 200);
  });

  test("ends with an eviction, and a cold viewer keeps nothing", async () => {
    const viewer = await someone();
    const show = await newShow("1x1", "1x2", "1x3");
    await world.watched(viewer, finish(`${show}-1x1`, 60));
    expect(await next(viewer)).toEqual([`${show}-1x2`]);
    await evict(world.redis, viewer as UserId);
    await world.watched(viewer, finish(`${show}-1x2`, 50));
    expect(await next(viewer)).toEqual([`${show}-1x3`]);
    await world.history(viewer);
    expect(await next(viewer)).toEqual([`${show}-1x3`]);
  });

  test("ends with the catalogue, whoever changes it", async () => {
    const viewer = await someone();
    const show = await newShow("1x1", "1x2", "1x3");
    await world.watched(viewer, finish(`${show}-1x1`, 60));
    expect(await next(viewer)).toEqual([`${show}-1x2`]);
    await manage("DELETE", `${show}-1x2`);
    expect(await next(viewer)).toEqual([`${show}-1x3`]);
    await manage("PUT", `${show}-1x2`, { ...episode(show, "1x2"), title: "It is back" });
    expect(await titles(viewer)).toEqual(["It is back"]);
    const lines = [{ ...episode(show, "1x2"), title: "Renamed" }];
    const answer = await world.ask("/contents", {
      ...{ method: "POST", token: SERVICE, body: lines.map((line) => `${JSON.stringify(line)}\n`).join("") },
      headers: { "content-type": "application/x-ndjson" },
    });
    await answer.text();
    expect(await titles(viewer)).toEqual(["Renamed"]);

    await catalogueAtRest();
    expect(await titles(viewer)).toEqual(["Renamed"]);
    // As the import does it, past every ingest.
    await storeContents(world.db, [contentOf({ ...episode(show, "1x2"), season: 7 })]);
    await until(async () => (await next(viewer))[0] === `${show}-1x3`);
  });

  const titles = async (viewer: string) =>
    NextUpItem.array()
      .parse(await (await ask(viewer)).json())
      .map(({ title }) => title);
  /** Every change is carried: it is told of before it is let go of, so nobody tells of another one any more. */
  async function catalogueAtRest(): Promise<void> {
    await until(async () => (await world.db.execute("SELECT 1 FROM content_changes")).length === 0);
  }
});

describe("who may ask, and for what", () => {
  test("the viewer, support, services and admins", async () => {
    expect((await fetch(`${world.edgeUrl}/users/alice/next-up`)).status).toBe(401);
    const stranger = await world.ask("/users/alice/next-up", { as: "bob" });
    expect([stranger.status, await stranger.json()]).toEqual([
      403,
      expect.objectContaining({ code: "forbidden" }),
    ]);
    for (const role of ["support", "service", "admin"]) {
      expect((await world.ask("/users/alice/next-up", { as: "bob", token: { roles: [role] } })).status).toBe(
        200,
      );
    }
    const direct = await world.ask("/users/alice/next-up", { as: "bob", at: world.ingestUrl });
    expect(direct.status).toBe(403);
  });

  test.each([
    ["?limit=0", "limit"],
    ["?limit=101", "limit"],
    ["?limit=1.5", "limit"],
    ["?limit=", "limit"],
    ["?limit=1&limit=2", "limit"],
    ["?kind=movies", "kind"],
    ["?kind=sport&kind=episodes", "kind"],
    ["?show=x", "show"],
    ["?cursor=1_a", "cursor"],
  ])("%s: 422, at the edge and at ingest", async (query, path) => {
    for (const at of [world.edgeUrl, world.ingestUrl]) {
      const answer = await world.ask(`/users/alice/next-up${query}`, { at });
      expect([answer.status, await answer.json()]).toEqual([
        422,
        expect.objectContaining({ code: "invalid_input", errors: [expect.objectContaining({ path })] }),
      ]);
    }
  });

  test("a path that names no user is 422, and other methods are 405", async () => {
    expect((await world.ask("/users/a%20b/next-up")).status).toBe(422);
    expect((await world.ask("/users/alice/next-up", { method: "POST" })).status).toBe(405);
  });
});

describe("bad days", () => {
  test("Redis is away: Postgres answers, and all is well when it is back", async () => {
    const own = await createWorld();
    try {
      await storeContents(
        own.db,
        ["1x1", "1x2", "1x3"].map((number) => contentOf(episode("show", number))),
      );
      await own.history("alice");
      await own.watched("alice", finish("show-1x1", 60));
      const ask = async () =>
        (await (await own.ask("/users/alice/next-up")).json()) as { content_id: string }[];
      expect(await ask()).toMatchObject([{ content_id: "show-1x2" }]);
      await own.killRedis();
      expect(await ask()).toMatchObject([{ content_id: "show-1x2" }]);
      await storeContents(own.db, [contentOf({ ...episode("show", "1x2"), season: 9 })]);
      expect(await ask()).toMatchObject([{ content_id: "show-1x3" }]);
      await own.restartRedis();
      await until(async () => (await ask())[0]?.content_id === "show-1x3");
      own.pauseRedis();
      expect(await ask()).toMatchObject([{ content_id: "show-1x3" }]);
      own.resumeRedis();
    } finally {
      await own.stop();
    }
  });

  test("ingest is away: 503, and never an empty list", async () => {
    const own = await createWorld();
    try {
      await own.history("alice");
      await Promise.all(own.services.map((service) => service.stop()));
      const answer = await own.ask("/users/alice/next-up");
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await answer.json()).toMatchObject({ code: "unavailable" });
    } finally {
      await own.stop();
    }
  });
});

const SERVICE = { roles: ["service"] };

const ask = async (viewer: string, query = "") =>
  await world.ask(`/users/${viewer}/next-up${query}`, { as: viewer });

/** The ids of what is listed. */
async function next(viewer: string, query = ""): Promise<string[]> {
  const answer = await ask(viewer, query);
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { content_id: string }[]).map(({ content_id }) => content_id);
}

/** Does what a viewer may do to the history, which shows at once. */
async function change(viewer: string, method: string, what: string, body?: object): Promise<void> {
  const answer = await world.ask(`/users/${viewer}/${what}`, {
    ...{ as: viewer, method },
    ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  await world.drained();
}

async function manage(method: string, content_id: string, content?: object): Promise<void> {
  const { content_id: _, ...facts } = { content_id, ...content };
  const answer = await world.ask(`/contents/${content_id}`, {
    ...{ method, as: "cms", token: SERVICE },
    ...(content ? { body: JSON.stringify(facts), headers: { "content-type": "application/json" } } : {}),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

async function isKept(viewer: string): Promise<boolean> {
  return (await world.redis.exists(nextUpKey(viewer as UserId, "episodes"))) === 1;
}

const finish = (content_id: string, secondsAgo: number) => ({
  ...{ content_id, playback_time: 2_390, duration: 2_400, occurred_at: now - secondsAgo * 1_000 },
});

function episode(show: string, number: string) {
  const [season = 0, episode = 0] = number.split("x").map(Number);
  return {
    ...{ content_id: `${show}-${number}`, kind: "episode" as const, title: number, duration: 2_400 },
    ...{ show, season, episode },
  };
}

function contentOf({ content_id, ...facts }: z.input<typeof ContentInput> & { content_id: string }) {
  return { content_id: content_id as ContentId, ...ContentInput.parse(facts) };
}

/** A show that no other test knows, in the catalogue with these episodes. @returns its name. */
async function newShow(...numbers: string[]): Promise<string> {
  const show = `show-${++shows}`;
  for (const number of numbers) await manage("PUT", `${show}-${number}`, episode(show, number));
  return show;
}

/** The fixtures of a real season. */
function fixtures() {
  const text = readFileSync(new URL("../data/football/2024-25/en.1.json", import.meta.url), "utf8");
  return (parseFixtures(text, { season: "2024-25", league: "en.1" }) ?? []).map(({ content }) => content);
}
