import { expect, test } from "vitest";
import { fullPatience, strain } from "../../ingest/party/patience.ts";

const T = 1_000_000;

test("a burst is heard, what is beyond it is too fast, and a second later so much is heard again", () => {
  const patience = fullPatience(T);
  const burst = Array.from({ length: 45 }, () => strain(patience, T));
  expect(burst.filter((its) => its === "heard")).toHaveLength(40);
  expect(burst.at(-1)).toBe("too_fast");
  const later = Array.from({ length: 30 }, () => strain(patience, T + 1_000));
  expect(later.filter((its) => its === "heard")).toHaveLength(20);
});

test("twenty a second may go on for ever", () => {
  const patience = fullPatience(T);
  for (let n = 0; n < 1_000; n++) expect(strain(patience, T + n * 50)).toBe("heard");
});

test("whoever does not stop is cut, and a clock that goes back mends nothing", () => {
  const patience = fullPatience(T);
  const all = Array.from({ length: 300 }, (_, n) => strain(patience, T - n));
  expect(all.indexOf("cut")).toBe(240);
});
