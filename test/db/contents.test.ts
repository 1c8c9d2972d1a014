import { describe, expect, test } from "vitest";
import { bulkForm } from "../../db/contract/bulk.ts";
import { ContentInput, ContentView, contentView, ListedContentInput } from "../../db/contract/contents.ts";

const parsed = (facts: object) => ContentInput.parse(facts);
const faultIn = (facts: object) => ContentInput.safeParse(facts).error?.issues[0]?.path.join(".");
const unknown = {
  ...{ kind: null, title: null, thumbnail: null, duration: null, sport: null, series: null, teams: [] },
  ...{ show: null, season: null, episode: null, credits_at: null, released_at: null },
};

describe("what a content may be", () => {
  test("all that is left out is unknown", () => {
    expect(parsed({})).toEqual(unknown);
    expect(ListedContentInput.parse({ content_id: "c" })).toEqual({ content_id: "c", ...unknown });
    expect(ListedContentInput.safeParse({}).success).toBe(false);
  });

  test("text is counted in characters, and is text that can be kept", () => {
    for (const [name, most] of [
      ["title", 500],
      ["thumbnail", 2_000],
      ["sport", 128],
      ["show", 128],
    ] as const) {
      expect(parsed({ [name]: "\u{1F600}".repeat(most) })).toMatchObject({ [name]: expect.any(String) });
      for (const bad of ["", "x".repeat(most + 1), "\u{1F600}".repeat(most + 1), "a\0b", "\ud83d", 7]) {
        expect([name, bad, faultIn({ [name]: bad })]).toEqual([name, bad, name]);
      }
    }
  });

  test("a team counts once, in its place", () => {
    expect(parsed({ teams: ["B", "A", "B", "a"] }).teams).toEqual(["B", "A", "a"]);
    expect(faultIn({ teams: Array.from({ length: 51 }, (_, n) => `${n}`) })).toBe("teams");
    expect(faultIn({ teams: ["A", ""] })).toBe("teams.1");
  });

  test("a release may be long ago, and is a time that every client can read", () => {
    const at = (released_at: unknown) => parsed({ released_at }).released_at;
    expect(at("1942-11-26T00:00:00Z")).toBe(Date.UTC(1942, 10, 26));
    expect(at("2026-01-31T20:15:00.5+01:00")).toBe(Date.UTC(2026, 0, 31, 19, 15, 0, 500));
    expect(at(-1.5)).toBe(-2);
    for (const edge of ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"]) {
      const view = contentView(ListedContentInput.parse({ content_id: "c", released_at: edge }));
      expect(ContentView.parse(view).released_at).toBe(new Date(edge).toISOString());
      expect(view.released_at).toHaveLength(24);
    }
    for (const bad of [
      253_402_300_800_000,
      -62_167_219_200_001,
      "1942",
      "yesterday",
      "2026-01-31T20:15:00",
      "1e3",
    ]) {
      expect(faultIn({ released_at: bad })).toBe("released_at");
    }
  });

  test.each([
    { kind: "film" },
    { duration: -1 },
    { duration: Number.NaN },
    { credits_at: 1e9 },
    { season: 1.5 },
    { episode: -1 },
    { episode: 1_000_001 },
  ])("%o is not", (bad) => {
    expect(faultIn(bad)).toBe(Object.keys(bad)[0]);
  });

  test("nothing else can be said of it", () => {
    expect(faultIn({ titel: "x" })).toBe("");
    expect(faultIn({ content_id: "c" })).toBe("");
  });
});

test("contents come as an array or as lines", () => {
  for (const type of ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"]) {
    expect(bulkForm(type)).toBe("array");
  }
  for (const type of ["application/x-ndjson", "APPLICATION/X-NDJSON;charset=utf-8"]) {
    expect(bulkForm(type)).toBe("lines");
  }
  for (const type of [undefined, null, "", "application/jsonl", "text/plain;application/json"]) {
    expect(() => bulkForm(type)).toThrow(expect.objectContaining({ code: "unsupported_media_type" }));
  }
});
