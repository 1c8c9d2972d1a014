import { expect, test } from "vitest";
import { isFinished, resumePosition, type Watched } from "../../db/resume.ts";

function at(playback_time: number, duration: number | null, its: Partial<Watched> = {}): Watched {
  return { playback_time, duration, credits_at: null, live: false, ...its };
}

test.each([
  [29.999, 3600, null],
  [30, 3600, 30],
  [95, 100, 95],
  [95.00001, 100, null],
  [9_500_000, 10_000_000, 9_500_000],
  [9_500_001, 10_000_000, null],
  [4000, 3600, null],
  [600, null, null],
  [600, 0, null],
  // A clip of 40 s: the floor and the ceiling leave eight seconds between them.
  [29, 40, null],
  [30, 40, 30],
  [38, 40, 38],
  [38.001, 40, null],
  // A clip of 20 s never resumes.
  [19, 20, null],
])("at %d s of %s: %s", (position, duration, expected) => {
  expect(resumePosition(at(position, duration))).toBe(expected);
});

test.each([
  [3_000, 3_000],
  [3_000.001, null],
])("with credits at 3,000 s of 3,600, %d resumes at %s", (position, expected) => {
  expect(resumePosition(at(position, 3_600, { credits_at: 3_000 }))).toBe(expected);
});

test("live never resumes and is never finished", () => {
  expect(resumePosition(at(600, 3_600, { live: true }))).toBe(null);
  expect(isFinished(at(3_599, 3_600, { live: true, credits_at: 10 }))).toBe(false);
});

test("unknown is not finished", () => {
  expect(isFinished(at(1e6, null))).toBe(false);
  expect(isFinished(at(1e6, 0))).toBe(false);
  expect(isFinished(at(1, 0.5))).toBe(true);
  expect(isFinished(at(11, null, { credits_at: 10 }))).toBe(true);
});
