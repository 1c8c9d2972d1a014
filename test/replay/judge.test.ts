import { afterEach, expect, test } from "vitest";
import { aContent, aDismissal, aMark, aPlay, aShow, catalogueOf, tell } from "./examples.ts";
import { type Asked, type FakeEdge, fakeEdge, type Said } from "./fake-edge.ts";
import { createFollower } from "./follow.ts";
import { judge } from "./judge.ts";
import { createModel } from "./model.ts";
import { gateOf } from "./persist.ts";

const KICKOFF = Date.UTC(2190, 0, 1);
const match = aContent("match", {
  kind: "match",
  teams: ["A"],
  title: "A - B",
  duration: 100,
  released_at: 1,
});
const coming = aContent("coming", { kind: "match", teams: ["A"], title: "A - C", released_at: KICKOFF });
const catalogue = catalogueOf(...aShow({ 1: 2 }), match, coming);
const iso = (time: number) => new Date(time).toISOString();

/** What an edge must show of a finished episode, a match in the middle, and a mark on another one. */
const finished = { content_id: "s1e1", catalog_id: "football", playback_time: 100, duration: 100 };
const begun = { content_id: "match", catalog_id: "football", playback_time: 50, duration: 100 };
const marked = { content_id: "x", catalog_id: null, playback_time: 0, duration: null };
const history = [
  { ...marked, resume_position_seconds: null, completed: true, last_watched_at: iso(3_000) },
  { ...begun, resume_position_seconds: 50, completed: false, last_watched_at: iso(2_000) },
  { ...finished, resume_position_seconds: null, completed: true, last_watched_at: iso(1_000) },
] as const;
const nothing = { sport: null, series: null, teams: [], show: null, season: null, episode: null };
const right = {
  watchhistory: history,
  "continue-watching": [
    { ...history[1], ...nothing, title: "A - B", thumbnail: null, teams: ["A"], progress: 0.5 },
  ],
  "next-up": [{ ...catalogue.get("s1e2"), released_at: null, last_watched_at: iso(1_000) }],
  "next-up sport": [{ ...coming, released_at: iso(KICKOFF), team: "A" }],
  changes: { changes: history, cursor: "e.3", has_more: false },
};

let edge: FakeEdge;
afterEach(() => edge.close());

test("an edge that is right about everything is found to be right", async () => {
  expect(await judged(right)).toEqual({
    differences: [],
    lost: 0,
    items: { history: 3, "continue-watching": 1, "next-up": 1, "next-up of sport": 1, changes: 3 },
    changes: 3,
  });
});

const [, second] = history;
test.each<[string, string, string, Partial<typeof right>]>([
  ["history", "x", "item", { watchhistory: [second, history[2]] as never }],
  [
    "history",
    "match",
    "resume_position_seconds",
    { watchhistory: history.with(1, { ...second, resume_position_seconds: null } as never) as never },
  ],
  ["continue-watching", "match", "item", { "continue-watching": [] }],
  ["continue-watching", "match", "progress", changed("continue-watching", { progress: 0.4 })],
  ["continue-watching", "match", "title", changed("continue-watching", { title: null })],
  ["next-up", "s1e2", "item", { "next-up": [] }],
  ["next-up", "s1e2", "last_watched_at", changed("next-up", { last_watched_at: iso(1_001) })],
  ["next-up", "s1e2", "episode", changed("next-up", { episode: 1 })],
  ["next-up of sport", "coming", "item", { "next-up sport": [] }],
  ["next-up of sport", "coming", "team", changed("next-up sport", { team: "B" })],
  ["next-up of sport", "coming", "released_at", changed("next-up sport", { released_at: null })],
  ["changes", "x", "item", { changes: { ...right.changes, changes: history.slice(1) as never } }],
  [
    "changes",
    "match",
    "completed",
    {
      changes: {
        ...right.changes,
        changes: history.with(1, { ...second, completed: true } as never) as never,
      },
    },
  ],
])("an edge that is wrong is found out: %s, %s, %s", async (view, content_id, field, wrong) => {
  const { differences } = await judged({ ...right, ...wrong });
  expect(differences).toMatchObject([{ user_id: "u", view, content_id, field }]);
});

test("what should not be there is found in every view", async () => {
  const more = (items: readonly unknown[]) =>
    [...items, { content_id: "more", last_watched_at: iso(1) }] as never;
  const { differences } = await judged({
    watchhistory: more(right.watchhistory),
    "continue-watching": more(right["continue-watching"]),
    "next-up": more(right["next-up"]),
    "next-up sport": more(right["next-up sport"]),
    changes: { ...right.changes, changes: more(right.changes.changes) },
  });
  expect(differences.map(({ view, content_id, field }) => `${view} ${content_id} ${field}`)).toEqual([
    "history more item",
    "continue-watching more item",
    "next-up more item",
    "next-up of sport more item",
    "changes more item",
  ]);
});

test("nobody judges what took too long to know its order", async () => {
  await expect(judged(right, 10_000)).rejects.toThrow("too slow");
});

async function judged(says: typeof right, late = 0) {
  edge = await fakeEdge(answersOf(says));
  const sender = { edge: edge.url, user_id: "u", token: "t" };
  const deps = { gate: gateOf(4), statuses: new Map() };
  const model = createModel(catalogue);
  tell(
    model,
    aPlay("match", 2_000, 50),
    aMark({ content_id: "x", at: 3_000 }),
    aDismissal({ content_id: "s1e1", at: 1_500 }),
  );
  model.heard("u", aPlay("s1e1", 1_000, 100), late);
  return await judge(sender, { ...deps, model, follower: createFollower(sender, deps) });
}

function answersOf(says: typeof right): (asked: Asked) => Said {
  return ({ path, query }) => {
    const view = `${path.replace("/users/u/", "")}${query.has("kind") ? " sport" : ""}`;
    return { status: 200, body: says[view as keyof typeof says] };
  };
}

/** The only item of a list, with something wrong. */
function changed(
  view: "continue-watching" | "next-up" | "next-up sport",
  its: object,
): Partial<typeof right> {
  return { [view]: [{ ...right[view][0], ...its }] };
}
