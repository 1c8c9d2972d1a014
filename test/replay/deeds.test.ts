import { beforeAll, describe, expect, test } from "vitest";
import { readCatalogue } from "./catalogue.ts";
import type { Deed } from "./deeds.ts";
import type { Live } from "./ending.ts";
import { DEEDS_AGAIN } from "./place-deeds.ts";
import { randomFrom } from "./random.ts";
import { type Story, tellStory } from "./story.ts";
import { type Delivery, eventsOf, type Step, trafficOf } from "./traffic.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const VIEWERS = 300;

let told: Story[];
let steps: Step[][];
let deeds: Deed[];
beforeAll(async () => {
  const catalogue = await readCatalogue();
  const times = { from: NOON - 3_600_000, until: NOON };
  told = Array.from({ length: VIEWERS }, (_, n) =>
    tellStory({
      user_id: `u${n}`,
      catalogue,
      random: randomFrom(`story ${n}`),
      ...times,
      zaps: n % 20 === 0,
    }),
  );
  steps = told.map((story, n) => trafficOf(story, randomFrom(`traffic ${n}`)));
  deeds = told.flatMap((story) => story.deeds);
});

describe("what viewers do other than watch", () => {
  test("is a fiftieth of it all, or a little more", () => {
    const beats = told.flatMap((story) => story.beats).length;
    expect(deeds.length / (beats + deeds.length)).toBeGreaterThan(0.015);
    expect(deeds.length / (beats + deeds.length)).toBeLessThan(0.035);
  });

  test("is sent, all of it, under ids of its own", () => {
    for (const [n, story] of told.entries()) {
      const ids = deedsIn(steps[n] ?? []).map(({ event_id }) => event_id);
      expect(new Set(ids)).toEqual(new Set(story.deeds.map(({ event_id }) => event_id)));
      expect(new Set(ids).size).toBe(story.deeds.length);
    }
  });

  test("comes again, late, one by one and many at once, by right and by wrong clocks", () => {
    const sent = steps.flatMap(deedsIn).length;
    expect((sent - deeds.length) / deeds.length).toBeGreaterThan(DEEDS_AGAIN * 0.6);
    expect((sent - deeds.length) / deeds.length).toBeLessThan(DEEDS_AGAIN * 1.5);
    const marks = steps.flatMap(deliveriesIn).filter((delivery) => delivery.kind === "marks");
    expect(marks.some(({ batch, marks }) => batch && marks.length > 4)).toBe(true);
    expect(marks.some(({ batch, marks }) => batch && marks.length === 1)).toBe(true);
    expect(marks.some(({ batch }) => !batch)).toBe(true);
    expect(steps.some(overtakes)).toBe(true);
    expect(deeds.some(({ device }) => device.skew_ms !== 0)).toBe(true);
  });

  test("is each of its kinds: marks and dismissals, and both taken back", () => {
    const kinds = deeds.map((deed) => `${deed.kind} ${deed.kind === "mark" ? deed.watched : deed.dismissed}`);
    expect(new Set(kinds)).toEqual(new Set(["mark true", "mark false", "dismissal true", "dismissal false"]));
    const ids = new Set(deeds.map(({ content_id }) => content_id));
    expect([...ids].some((id) => id.startsWith("made-up:fixture"))).toBe(true);
    expect([...ids].some((id) => id.startsWith("made-up:the-long-way:0"))).toBe(true);
    expect([...ids].some((id) => id.startsWith("football:"))).toBe(true);
  });

  test("happens at the moment of a beat only by right clocks, and far from all else by wrong ones", () => {
    let together = 0;
    for (const { beats, deeds, clear } of told) {
      for (const { at, device } of deeds) {
        const near = [...beats, ...deeds].filter((its) => its.at !== at && Math.abs(its.at - at) < 10_000);
        const same = beats.filter((beat) => beat.at === at);
        together += same.length;
        const clocks = [...near, ...same].map((its) => its.device.skew_ms);
        if (device.skew_ms !== 0) expect(clocks).toEqual([]);
        else expect(clocks.every((skew) => skew === 0)).toBe(true);
        expect(Math.abs(at - (clear ?? 0))).toBeGreaterThan(10_000);
      }
    }
    expect(together).toBeGreaterThan(10);
  });

  test("by somebody whose every event shows hides nothing that was watched", () => {
    for (const { beats, deeds } of told.filter((_, n) => n % 20 === 0)) {
      const watched = new Set(beats.map(({ content_id }) => content_id));
      const marks = deeds.filter(({ kind }) => kind === "mark");
      expect(marks.length).toBeGreaterThan(0);
      expect(marks.filter(({ content_id }) => watched.has(content_id))).toEqual([]);
    }
  });
});

describe("in real time", () => {
  const live = <Kind extends Live["kind"]>(kind: Kind) =>
    told.flatMap(({ ending }) =>
      (ending?.afterwards ?? []).filter((its): its is Extract<Live, { kind: Kind }> => its.kind === kind),
    );

  test("about a tenth of the viewers have sessions, of every kind", () => {
    const having = told.filter(({ ending }) => ending?.afterwards.some(({ kind }) => kind === "session"));
    expect(having.length / VIEWERS).toBeGreaterThan(0.06);
    expect(having.length / VIEWERS).toBeLessThan(0.14);
    const sessions = live("session").map(({ session }) => session);
    for (const some of [
      sessions.filter(({ ends }) => !ends),
      sessions.filter(({ reports }) => reports.length === 0),
      sessions.filter(({ reports }) => reports.at(-1)?.state === "ended"),
      sessions.filter(({ duration }) => duration === null),
    ]) {
      expect(some.length).toBeGreaterThan(0);
    }
    // Whatever is reported after the end would leave it open whether it ended.
    const ended = sessions
      .flatMap(({ reports }) => reports.slice(0, -1))
      .filter(({ state }) => state === "ended");
    expect(ended).toEqual([]);
  });

  test("marks and dismissals are told with their time, and without", () => {
    const times = live("live deed").map(({ told, deed }) => `${deed.kind} ${told}`);
    expect(new Set(times)).toEqual(new Set(["mark true", "mark false", "dismissal true", "dismissal false"]));
  });

  test("an app follows the changes, and looks at every list, at random moments", () => {
    const kinds = steps.flat().flatMap((step) => (step.kind === "read" ? step.view : step.kind));
    for (const kind of ["poll", "history", "continue-watching", "next-up", "next-up of sport"]) {
      expect(kinds.filter((its) => its === kind).length).toBeGreaterThan(50);
    }
  });
});

function deliveriesIn(steps: readonly Step[]): Delivery[] {
  return steps.flatMap((step) => (step.kind === "events" ? step.together : []));
}

function deedsIn(steps: readonly Step[]): Deed[] {
  const found = deliveriesIn(steps).flatMap((delivery): Deed[] => {
    if (delivery.kind === "dismissal") return [delivery.dismissal];
    return delivery.kind === "marks" ? delivery.marks : [];
  });
  const counted = deliveriesIn(steps).reduce(
    (sum, delivery) => sum + (delivery.kind === "beats" ? 0 : eventsOf(delivery)),
    0,
  );
  expect(found).toHaveLength(counted);
  return found;
}

/** Is anything sent after something that happened later? */
function overtakes(steps: readonly Step[]): boolean {
  const times = deedsIn(steps).map(({ at }) => at);
  return times.some((at, n) => at < (times[n - 1] ?? 0));
}
