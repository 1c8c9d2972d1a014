import { beforeAll, describe, expect, test } from "vitest";
import type { Beat } from "./beat.ts";
import { type Catalogue, readCatalogue } from "./catalogue.ts";
import { DUPLICATED, OFFLINE, OUT_OF_ORDER } from "./place-beats.ts";
import { randomFrom } from "./random.ts";
import { prepareReplay } from "./run.ts";
import { type Story, tellStory } from "./story.ts";
import { type Delivery, trafficOf } from "./traffic.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const VIEWERS = 150;

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await readCatalogue();
});

test("the same seed gives the same traffic, another seed another", async () => {
  const options = { viewers: 5, minutes: 20, now: NOON, name: "test", zappers: 0.2 };
  const once = await prepareReplay({ ...options, seed: "1" });
  expect(await prepareReplay({ ...options, seed: "1" })).toEqual(once);
  expect(await prepareReplay({ ...options, seed: "2" })).not.toEqual(once);
});

describe("an hour of many viewers", () => {
  let told: Story[];
  let sent: { story: Story; deliveries: Beats[] }[];

  beforeAll(() => {
    told = Array.from({ length: VIEWERS }, (_, n) => storyOf(n));
    sent = told.map((story, n) => ({ story, deliveries: deliveriesOf(story, n) }));
  });

  test("beats come every ten seconds or so while somebody watches", () => {
    const beats = told.flatMap((story) => story.beats).length;
    expect(beats / VIEWERS).toBeGreaterThan(200);
    expect(beats / VIEWERS).toBeLessThan(400);
  });

  test("every beat is sent, under an id of its own", () => {
    for (const { story, deliveries } of sent) {
      const ids = new Set(deliveries.flatMap(({ beats }) => beats.map(({ event_id }) => event_id)));
      expect(ids).toEqual(new Set(story.beats.map(({ event_id }) => event_id)));
      expect(ids.size).toBe(story.beats.length);
    }
  });

  test("about so many are duplicated, late in batches, and out of order", () => {
    const total = told.flatMap((story) => story.beats).length;
    const all = sent.flatMap(({ deliveries }) => deliveries);
    const offline = all.filter(({ batch }) => batch).reduce((sum, { beats }) => sum + beats.length, 0);
    const sentBeats = all.reduce((sum, { beats }) => sum + beats.length, 0);
    expectAbout((sentBeats - total) / total, DUPLICATED);
    expectAbout(offline / total, OFFLINE);

    const late = sent.reduce((sum, { deliveries }) => sum + overtaken(deliveries), 0);
    expectAbout(late / total, OUT_OF_ORDER);
  });

  test("a wrong clock never decides who was first", () => {
    const wrong = told.flatMap(({ beats }) =>
      beats.filter(({ device, at }, n) => {
        const next = beats[n + 1];
        return device.skew_ms !== 0 && next !== undefined && next.at - at < 10_000;
      }),
    );
    expect(wrong).toEqual([]);
    expect(told.some(({ beats }) => beats.some(({ device }) => device.skew_ms !== 0))).toBe(true);
  });

  test("a history is cleared up to a time at which nobody watches", () => {
    const cleared = told.filter(({ clear }) => clear !== null);
    expect(cleared.length).toBeGreaterThan(0);
    for (const { clear, beats } of cleared) {
      expect(beats.every(({ at }) => Math.abs(at - (clear ?? 0)) > 10_000)).toBe(true);
    }
  });

  test("everything that viewers do is done by some", () => {
    const beats = told.flatMap((story) => story.beats);
    for (const action of ["play", "pause", "seek", "stop", "finish", null]) {
      expect(
        beats.some((beat) => beat.action === action),
        `${action}`,
      ).toBe(true);
    }
    expect(beats.some((beat, n) => isBackward(beats[n - 1], beat))).toBe(true);
    expect(
      beats.some((beat, n) => beat.at === beats[n - 1]?.at && beat.device !== beats[n - 1]?.device),
    ).toBe(true);
    expect(told.some(({ ending }) => ending?.forgets?.content_id === null)).toBe(true);
    expect(told.some(({ ending }) => typeof ending?.forgets?.content_id === "string")).toBe(true);
    expect(told.some(({ beats }) => new Set(beats.map(({ device }) => device)).size > 1)).toBe(true);
  });
});

test("every event of a zapper is about another content", () => {
  const user_id = "zapper";
  const from = NOON - 3_600_000;
  const options = { user_id, catalogue, random: randomFrom("z"), from, until: NOON, zaps: true };
  const { beats } = tellStory(options);
  expect(beats.length).toBeGreaterThan(200);
  expect(new Set(beats.map(({ content_id }) => content_id)).size).toBe(beats.length);
});

function storyOf(n: number): Story {
  const random = randomFrom(`story ${n}`);
  const from = NOON - 3_600_000;
  return tellStory({ user_id: `u${n}`, catalogue, random, from, until: NOON, zaps: false });
}

/** What is sent of the story itself, in the order of sending. */
function deliveriesOf(story: Story, n: number): Beats[] {
  const steps = trafficOf(story, randomFrom(`traffic ${n}`));
  const all = steps.flatMap((step) => (step.kind === "events" ? step.together : []));
  return all.filter((delivery) => delivery.kind === "beats");
}

/** Single events that a newer single event of their viewer overtook, but for those that were sent before. */
function overtaken(deliveries: readonly Beats[]): number {
  const seen = new Set<string>();
  let newest = 0;
  let count = 0;
  for (const { beats, batch } of deliveries) {
    const [beat] = beats;
    if (batch || !beat || seen.has(beat.event_id)) continue;
    seen.add(beat.event_id);
    if (beat.at < newest) count++;
    newest = Math.max(newest, beat.at);
  }
  return count;
}

function isBackward(before: Beat | undefined, beat: Beat): boolean {
  return before?.play_id === beat.play_id && beat.playback_time < before.playback_time;
}

function expectAbout(found: number, wanted: number): void {
  expect(found).toBeGreaterThan(wanted * 0.7);
  expect(found).toBeLessThan(wanted * 1.3);
}

type Beats = Extract<Delivery, { kind: "beats" }>;
