import { expect, test } from "vitest";
import type { Beat } from "../beat.ts";
import type { Deed } from "../deeds.ts";
import { aBeat, aContent, aDismissal, aMark, aPlay, aShow, catalogueOf, tell } from "../examples.ts";
import { createModel } from "../model.ts";

const match = aContent("match", { title: "A - B", teams: ["A", "B"], sport: "football", thumbnail: "t" });
const catalogue = catalogueOf(match, ...aShow({ 1: 3 }), ...aShow({ 1: 1 }, "other"));

test("shows what was begun, newest first, with what the catalogue says and how far it is", () => {
  const begun = [aBeat({ at: 1_000 }), aPlay("s1e1", 2_000, 50), aPlay("s1e2", 500, 10)];
  const finished = aPlay("other.s1e1", 3_000, 99);
  expect(continued(...begun, finished)).toMatchObject([
    { content_id: "s1e1", show: "show", season: 1, episode: 1, progress: 0.5, resume_position_seconds: 50 },
    { content_id: "match", title: "A - B", thumbnail: "t", sport: "football", teams: ["A", "B"], show: null },
  ]);
  expect(continued(aBeat({ content_id: "unknown" }))).toMatchObject([
    { title: null, teams: [], progress: 600 / 7_200 },
  ]);
});

test("the newest episode that was begun stands for its show", () => {
  const [first, second] = [aPlay("s1e1", 1_000, 50), aPlay("s1e2", 2_000, 50)];
  const finished = aPlay("s1e3", 3_000, 100);
  expect(idsOf(first, second, finished)).toEqual(["s1e2"]);
  expect(idsOf(first, second, aMark({ content_id: "s1e2", at: 2_000 }))).toEqual(["s1e1"]);
});

test.each([
  ["hides it", [aDismissal({ at: 1_500 })], []],
  ["hides it at the very moment", [aDismissal({ at: 1_000 })], []],
  ["hides nothing that was watched since", [aDismissal({ at: 999 })], ["match"]],
  ["is taken back", [aDismissal({ at: 1_500 }), aDismissal({ at: 1_600, dismissed: false })], ["match"]],
  ["comes again", [aDismissal({ at: 1_700 }), aDismissal({ at: 1_600, dismissed: false })], []],
  ["wins at the same time", [aDismissal({ at: 1_600 }), aDismissal({ at: 1_600, dismissed: false })], []],
])("a dismissal %s", (_, deeds, ids) => {
  const named = deeds.map((deed) => ({ ...deed, event_id: `${deed.at}${deed.dismissed}` }));
  expect(idsOf(aBeat(), ...named)).toEqual(ids);
  expect(idsOf(...named.toReversed(), aBeat())).toEqual(ids);
});

test("an episode that is dismissed hides its show, and the history knows nothing of it", () => {
  const events = [
    aPlay("s1e1", 1_000, 50),
    aPlay("s1e2", 2_000, 50),
    aDismissal({ content_id: "s1e2", at: 2_500 }),
  ];
  expect(idsOf(...events)).toEqual([]);
  expect(tell(createModel(catalogue), ...events).history("u")).toHaveLength(2);
  expect(idsOf(...events, aPlay("s1e1", 3_000, 60))).toEqual(["s1e1"]);
});

test("what is forgotten takes its dismissals along", () => {
  const model = tell(createModel(), aDismissal({ at: 1_000 }));
  model.forgot("u", "match", 1_000);
  expect(tell(model, aBeat({ at: 1_001 })).continueWatching("u")).toHaveLength(1);
});

function continued(...events: (Beat | Deed)[]) {
  return tell(createModel(catalogue), ...events).continueWatching("u");
}

function idsOf(...events: (Beat | Deed)[]): string[] {
  return continued(...events).map(({ content_id }) => content_id);
}
