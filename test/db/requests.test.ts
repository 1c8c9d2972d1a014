import { describe, expect, test } from "vitest";
import { ClearQuery } from "../../db/contract/actions.ts";
import { checked } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson, readStamp, stampHeaders } from "../../db/contract/requests.ts";

describe("a stamp", () => {
  const now = Date.UTC(2026, 0, 1);
  const read = (headers: Record<string, string>) =>
    readStamp((name) => headers[name], { now, newId: () => "minted" });
  const minted = { received_at: now, arrival_id: "minted" };

  test("comes out of its headers as it went in", () => {
    const stamp = { received_at: now - 1_500, arrival_id: crypto.randomUUID() };
    expect(read(stampHeaders(stamp))).toEqual(stamp);
  });

  test("is minted where there is none", () => {
    expect(read({})).toEqual(minted);
  });

  test.each(["", "soon", "1e3", "-5", "1.5", `${now + 30_001}`, `${now - 86_400_001}`, "9".repeat(17)])(
    "with the time %j has the time of arrival",
    (at) => {
      expect(read({ "playhead-received-at": at }).received_at).toBe(now);
    },
  );

  test.each(["", "a b", "{x}", "x".repeat(101)])("with the id %j gets another", (id) => {
    expect(read({ "playhead-arrival-id": id }).arrival_id).toBe("minted");
  });

  test("may come from a clock that is a little ahead", () => {
    expect(read({ "playhead-received-at": `${now + 30_000}` }).received_at).toBe(now + 30_000);
  });
});

describe("?before=", () => {
  const parsed = (query: Record<string, string>) => checked(ClearQuery, query).before;

  test("is digits, or ISO 8601, or absent", () => {
    expect(parsed({})).toBeNull();
    expect(parsed({ before: "1767225600000" })).toBe(1_767_225_600_000);
    expect(parsed({ before: "2026-01-01T00:00:00Z" })).toBe(1_767_225_600_000);
    expect(parsed({ before: "2026-01-01T02:00:00+02:00" })).toBe(1_767_225_600_000);
  });

  test.each(["", "now", "-1", "1e12", "2026-01-01", "9".repeat(20)])("is not %j", (text) => {
    expect(() => parsed({ before: text })).toThrow(expect.objectContaining({ code: "invalid_input" }));
  });
});

test("a body is JSON in UTF-8", () => {
  expect(parseJson(new TextEncoder().encode('{"a":"é"}'))).toEqual({ a: "é" });
  for (const bytes of [[], [0x7b], [0x22, 0xff, 0x22]]) {
    expect(() => parseJson(new Uint8Array(bytes))).toThrow(
      expect.objectContaining({ code: "malformed_json" }),
    );
  }
});

test("a content type is application/json, with or without parameters", () => {
  for (const type of ["application/json", "application/json;charset=utf-8", "APPLICATION/JSON ; x=y"]) {
    expect(() => mustBeJson(type)).not.toThrow();
  }
  for (const type of [undefined, "", "text/json", "application/json+x", "text/plain, application/json"]) {
    expect(() => mustBeJson(type)).toThrow(expect.objectContaining({ code: "unsupported_media_type" }));
  }
});
