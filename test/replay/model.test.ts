import { describe, expect, test } from "vitest";
import type { Beat } from "./beat.ts";
import { aBeat, aContent, aDevice, aMark, catalogueOf, tell } from "./examples.ts";
import type { Expected } from "./expected/items.ts";
import { createModel, type Model } from "./model.ts";

describe("the model", () => {
  test("shows the newest by event time, in whatever order it heard them, backward or not", () => {
    const beats = [
      aBeat({ event_id: "e1", at: 1_000, playback_time: 600 }),
      aBeat({ event_id: "e2", at: 2_000, playback_time: 300 }),
    ];
    for (const order of [beats, beats.toReversed()]) {
      expect(shownAfter(order)).toMatchObject({
        playback_time: 300,
        last_watched_at: { from: 2_000, to: 2_000 },
      });
    }
  });

  test("decides a tie by event_id", () => {
    const one = aBeat({ event_id: "a", playback_time: 1 });
    const other = aBeat({ event_id: "b", playback_time: 2 });
    expect(shownAfter([other, one])).toMatchObject({ playback_time: 2 });
    expect(shownAfter([one, other])).toMatchObject({ playback_time: 2 });
  });

  test("keeps what only an older event knew", () => {
    const newer = aBeat({ event_id: "e2", at: 2_000, duration: null, catalog_id: null });
    expect(shownAfter([aBeat(), newer])).toMatchObject({ duration: 7_200, catalog_id: "football" });
  });

  test.each([
    ["looked in", { playback_time: 29.9 }, { resume_position_seconds: null, completed: false }],
    ["far enough", { playback_time: 30 }, { resume_position_seconds: 30, completed: false }],
    ["at the ceiling", { playback_time: 6_840 }, { resume_position_seconds: 6_840, completed: false }],
    ["past it", { playback_time: 6_841 }, { resume_position_seconds: null, completed: true }],
    ["length unknown", { duration: null }, { resume_position_seconds: null, completed: false }],
    ["the player said so", { action: "finish" }, { resume_position_seconds: null, completed: true }],
  ] as const)("resumes: %s", (_, its, expected) => {
    expect(shownAfter([aBeat(its)])).toMatchObject(expected);
  });

  test.each([
    ["the length", { duration: 1_000 }, { duration: 1_000, resume_position_seconds: 600 }],
    ["that this is its end", { duration: 610 }, { resume_position_seconds: null, completed: true }],
    ["where the credits begin", { duration: 1_000, credits_at: 599 }, { completed: true }],
    ["that the credits are to come", { duration: 1_000, credits_at: 600 }, { completed: false }],
    [
      "that it is a channel",
      { duration: 610, kind: "live" },
      { resume_position_seconds: null, completed: false },
    ],
  ] as const)("goes by the catalogue, which knows %s", (_, its, expected) => {
    const model = createModel(catalogueOf(aContent("match", its)));
    expect(itemOf(tell(model, aBeat({ duration: null })))).toMatchObject(expected);
  });

  test("stays completed when it is watched again, and resumes from there", () => {
    const again = aBeat({ event_id: "e2", at: 2_000, playback_time: 100 });
    expect(shownAfter([aBeat({ action: "finish" }), again])).toMatchObject({
      completed: true,
      resume_position_seconds: 100,
    });
  });

  test("forgets an item up to and including the moment, and starts clean after it", () => {
    const model = createModel();
    tell(model, aBeat({ at: 1_000, action: "finish" }), aBeat({ event_id: "other", content_id: "other" }));
    model.forgot("u", "match", 1_000);
    expect(model.history("u").map(({ content_id }) => content_id)).toEqual(["other"]);

    tell(model, aBeat({ event_id: "e2", at: 1_001, duration: null }));
    expect(itemOf(model)).toMatchObject({ completed: false, duration: null });
  });

  test("forgets everything up to a time, also what is heard of only then", () => {
    const model = createModel();
    model.cleared("u", 1_500);
    tell(model, aBeat({ at: 1_000 }), aBeat({ event_id: "e2", at: 1_500 }));
    expect(model.history("u")).toEqual([]);
    tell(model, aBeat({ event_id: "e3", at: 1_501 }));
    expect(itemOf(model)).toMatchObject({ last_watched_at: { from: 1_501, to: 1_501 } });
  });

  test("knows a corrected time to within the latency, and counts an event once", () => {
    const model = createModel();
    const device = aDevice({ skew_ms: 61_000 });
    for (const late of [40, 7]) {
      model.heard("u", aBeat({ device }), late);
      model.did("u", aMark({ device, content_id: "other", at: 2_000 }), late);
    }
    expect(model.history("u")).toMatchObject([
      { content_id: "other", last_watched_at: { from: 2_000, to: 2_040 } },
      { content_id: "match", last_watched_at: { from: 1_000, to: 1_040 } },
    ]);
    expect(model.events()).toBe(2);
  });

  test("never mixes users up", () => {
    const model = tell(createModel(), aBeat(), aMark());
    expect(model.history("U")).toEqual([]);
  });
});

function shownAfter(beats: readonly Beat[]): Expected | undefined {
  return itemOf(tell(createModel(), ...beats));
}

function itemOf(model: Model): Expected | undefined {
  return model.history("u").find(({ content_id }) => content_id === "match");
}
