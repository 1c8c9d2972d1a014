import { expect, test } from "vitest";
import { edgeAclRules } from "../../db/redis/acl.ts";
import { manyCommands, oneCommand } from "../../ingest/redis-rest/commands.ts";
import { readDoorConfig } from "../../ingest/redis-rest/config.ts";
import { refusal } from "../../ingest/redis-rest/policy.ts";
import { asBase64, asUtf8, envelope, type Reply } from "../../ingest/redis-rest/reply.ts";
import { bearerCheck } from "../../ingest/redis-rest/token.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

test("every string is encoded, however deep, and nothing else is", () => {
  const reply: Reply = [Buffer.from("é"), 7, null, [Buffer.from(""), [Buffer.from("OK"), -1]], []];

  expect(envelope(reply, asBase64)).toEqual({
    result: [base64("é"), 7, null, ["", [base64("OK"), -1]], []],
  });
  expect(envelope(reply, asUtf8)).toEqual({ result: ["é", 7, null, ["", ["OK", -1]], []] });
});

test("an error keeps its text, and inside an array it still reads as an error", () => {
  expect(envelope(new Error("NOSCRIPT No"), asBase64)).toEqual({ error: "NOSCRIPT No" });
  expect(envelope([new Error("ERR inner")], asBase64)).toEqual({ result: [{ error: "ERR inner" }] });
});

test("a command's name is sent in the very form that was checked", () => {
  expect(oneCommand(["hGetAll", "Key", 1.5, true])).toEqual({
    name: "HGETALL",
    args: ["Key", "1.5", "true"],
  });
  // a dotless i becomes an I in upper case: were the check on another form, this would pass as an unknown name
  expect(() => oneCommand(["cl\u0131ent", "reply", "off"])).toThrow(/not available/);
});

test.each([[[]], [{}], ["GET"], [null], [7], [[null]], [[["GET"]]], [["GET", {}]], [["GET", ["k"]]], [[""]]])(
  "%j is not a command",
  (body) => {
    expect(() => oneCommand(body)).toThrow(/^ERR/);
    expect(() => manyCommands([["PING"], body])).toThrow(/^ERR/);
  },
);

test.each([
  ["XREAD BLOCK 0 STREAMS s $", true],
  ["XREAD count 1 bLoCk 0 STREAMS s $", true],
  ["XREADGROUP GROUP streams c BLOCK 0 STREAMS s >", true],
  ["XREADGROUP GROUP g c NOACK BLOCK 0 STREAMS s >", true],
  ["XREADGROUP GROUP block block COUNT 1 STREAMS s >", false],
  ["XREAD COUNT 1 STREAMS block 0", false],
  ["XREAD STREAMS s 0", false],
  ["XREAD", false],
])("%s blocks: %s", (line, expected) => {
  const [name = "", ...args] = line.split(" ");
  expect(refusal({ name, args }) !== null).toBe(expected);
});

test("a subcommand is refused where its command is not", () => {
  expect(refusal({ name: "SCRIPT", args: ["kill"] })).toMatch(/not available/);
  expect(refusal({ name: "SCRIPT", args: ["LOAD", "return 1"] })).toBeNull();
});

test("only the whole token opens", () => {
  const isAllowed = bearerCheck("s3cret");

  expect(isAllowed("Bearer s3cret")).toBe(true);
  expect(isAllowed("bearer s3cret")).toBe(true);
  const wrong = [
    undefined,
    "",
    "s3cret",
    "Basic s3cret",
    "Bearer",
    "Bearer ",
    "Bearer s3cre",
    "Bearer s3cretx",
  ];
  for (const header of [...wrong, "Bearer S3CRET", "Bearer s3cret x"])
    expect(isAllowed(header), header).toBe(false);
  expect(() => bearerCheck("")).toThrow();
});

test("wrong settings are reported all at once", () => {
  expect(() =>
    readDoorConfig({ REDIS_REST_PORT: "x", REDIS_REST_TOKEN: "a b", REDIS_URL: "http://h" }),
  ).toThrow(/REDIS_REST_PORT[\s\S]*REDIS_REST_TOKEN[\s\S]*REDIS_URL/);
  expect(readDoorConfig({ REDIS_REST_TOKEN: "t", REDIS_URL: "redis://edge:pw@h:1" })).toEqual({
    port: 8789,
    host: "127.0.0.1",
    token: "t",
    redisUrl: "redis://edge:pw@h:1",
  });
});

test("the edge's rules name no search command where there is no search", () => {
  expect(edgeAclRules("pw", { search: false }).join(" ")).not.toMatch(/ft\./i);
  expect(edgeAclRules("pw", { search: true }).join(" ")).toMatch(/\+ft\.search/);
});
