import { expect, test } from "vitest";
import { isFinished, resumePosition } from "../../db/resume.ts";

test.each([
  [29.999, 3600, null],
  [30, 3600, 30],
  [95, 100, 95],
  [95.00001, 100, null],
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
  expect(resumePosition(position, duration)).toBe(expected);
});

test("unknown is not finished", () => {
  expect(isFinished(1e6, null)).toBe(false);
  expect(isFinished(1e6, 0)).toBe(false);
  expect(isFinished(1, 0.5)).toBe(true);
});
