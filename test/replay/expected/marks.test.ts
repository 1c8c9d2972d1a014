import { describe, expect, test } from "vitest";
import type { Beat } from "../beat.ts";
import type { Deed } from "../deeds.ts";
import { aBeat, aContent, aMark, catalogueOf, tell } from "../examples.ts";
import { createModel } from "../model.ts";
import type { Expected } from "./items.ts";

const watched = (at: number) => aMark({ at, event_id: `watched.${at}` });
const unwatched = (at: number) => aMark({ at, event_id: `unwatched.${at}`, watched: false });

describe("marked as watched", () => {
  test("is listed then, completed, with nowhere to go on", () => {
    expect(shownAfter(aBeat(), watched(2_000))).toMatchObject({
      completed: true,
      resume_position_seconds: null,
      playback_time: 600,
      last_watched_at: { from: 2_000, to: 2_000 },
    });
  });

  test("and never watched is listed all the same", () => {
    const model = createModel(catalogueOf(aContent("match", { duration: 90 })));
    expect(tell(model, watched(2_000)).history("u")).toMatchObject([
      { completed: true, playback_time: 0, duration: 90, catalog_id: null, resume_position_seconds: null },
    ]);
  });

  test.each([
    ["before", 1_999, { resume_position_seconds: null, last_watched_at: { from: 2_000, to: 2_000 } }],
    ["at the same time", 2_000, { resume_position_seconds: null }],
    ["after", 2_001, { resume_position_seconds: 600, last_watched_at: { from: 2_001, to: 2_001 } }],
  ])("and watched %s", (_, at, expected) => {
    expect(shownAfter(aBeat({ at }), watched(2_000))).toMatchObject({ completed: true, ...expected });
  });
});

describe("marked as not watched", () => {
  test.each([
    ["takes back a completion", [aBeat({ action: "finish" })]],
    ["takes back a place to go on from", [aBeat()]],
    ["takes back where it is near its end", [aBeat({ playback_time: 7_000 })]],
  ])("%s, up to the moment", (_, beats) => {
    const taken = {
      completed: false,
      resume_position_seconds: null,
      last_watched_at: { from: 1_000, to: 1_000 },
    };
    expect(shownAfter(...beats, unwatched(1_000))).toMatchObject(taken);
    expect(shownAfter(...beats, unwatched(999))).not.toMatchObject(taken);
  });

  test("it vanishes when it was only ever marked", () => {
    expect(shownAfter(watched(1_000), unwatched(2_000))).toBeUndefined();
    expect(shownAfter(unwatched(1_000))).toBeUndefined();
  });

  test("it is watched anew", () => {
    const anew = aBeat({ at: 3_000, playback_time: 7_000, event_id: "e2" });
    expect(shownAfter(aBeat(), unwatched(2_000), anew)).toMatchObject({ completed: true });
  });
});

test.each([
  ["the newest mark wins", [watched(1_000), unwatched(2_000)], false],
  ["in whatever order they come", [unwatched(2_000), watched(1_000)], false],
  ["and either way", [watched(3_000), unwatched(2_000)], true],
  ["watched wins at the same time", [watched(2_000), unwatched(2_000)], true],
  ["in whatever order, too", [unwatched(2_000), watched(2_000)], true],
])("%s", (_, marks, completed) => {
  expect(shownAfter(aBeat({ at: 500 }), ...marks)).toMatchObject({ completed });
});

test("what is forgotten takes its marks along, up to the moment", () => {
  const model = tell(createModel(), watched(1_000), aMark({ content_id: "other", at: 1_001 }));
  model.cleared("u", 1_000);
  expect(model.history("u").map(({ content_id }) => content_id)).toEqual(["other"]);
  model.forgot("u", "other", 1_001);
  expect(model.history("u")).toEqual([]);
  expect(tell(model, watched(1_001)).history("u")).toHaveLength(1);
});

function shownAfter(...events: (Beat | Deed)[]): Expected | undefined {
  return tell(createModel(), ...events).history("u")[0];
}
