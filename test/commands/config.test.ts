import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const operations = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

async function config(env: Record<string, string> = {}): Promise<string> {
  const its = { PATH: process.env.PATH, ...env };
  return (await promisify(execFile)(process.execPath, ["commands/config.ts"], { env: its })).stdout;
}

test("each variable is printed with its default and in words, and the manual knows them all", async () => {
  const out = await config();
  for (const side of ["edge", "ingest", "door", "commands"])
    expect(out).toMatch(new RegExp(`^${side}$`, "m"));
  expect(out).toContain("  HISTORY_LIMIT = 2000 (by default)\n      Newest items of a user that Redis holds");
  expect(out).toContain("  INGEST_URL is not set, and needed\n");
  expect(out).toContain("  AUTH_ISSUER is not set\n");

  const printed = Array.from(out.matchAll(/^ {2}([A-Z_]+) (?:=|is) .*\n {6}(.*)$/gm));
  expect(printed.length).toBeGreaterThan(45);
  expect(printed.filter(([, , words = ""]) => !/\w+ \w+/.test(words))).toEqual([]);
  expect(printed.flatMap(([, name]) => (operations.includes(`\`${name}\``) ? [] : name))).toEqual([]);
});

test("what is set here is printed beside the default", async () => {
  const out = await config({ HISTORY_LIMIT: "500", INGEST_URL: "http://ingest.example:8788", LOG_LEVEL: "" });
  expect(out).toContain("  HISTORY_LIMIT = 500 (2000 by default)\n");
  expect(out).toContain("  INGEST_URL = http://ingest.example:8788/\n");
  expect(out).toContain("  LOG_LEVEL = info (by default)\n");
});

test("a secret is never printed: not one of its own, not one in a URL, not one in what should be a URL", async () => {
  const out = await config({
    AUTH_SECRET: "hunter2-by-itself",
    UPSTASH_REDIS_REST_TOKEN: "hunter2-by-itself",
    REDIS_REST_TOKEN: "hunter2-by-itself",
    EDGE_REDIS_PASSWORD: "hunter2-by-itself",
    ERASURE_KEY: "hunter2-by-itself",
    DATABASE_URL: "postgres://playhead:hunter2@db.example:5432/playhead?sslpassword=hunter2",
    REDIS_URL: "redis://:hunter2@redis.example:6379/1",
    STREAM_REDIS_URL: "redis//:hunter2@redis.example",
  });
  expect(out).not.toContain("hunter2");
  expect(out).toContain("  AUTH_SECRET is set, and hidden\n");
  expect(out).toContain("  REDIS_URL = redis://:***@redis.example:6379/1\n");
  expect(out).toContain(
    "  DATABASE_URL = postgres://playhead:***@db.example:5432/playhead?sslpassword=***\n",
  );
  expect(out).toContain("  STREAM_REDIS_URL = (hidden: it is no URL)\n");
});

test("it says of each process what keeps it from starting, all at once", async () => {
  const faults = (out: string, side: string) => {
    const [, its = ""] = out.split(new RegExp(`^${side}$`, "m"));
    return Array.from(its.split(/^\w+$/m)[0]?.matchAll(/^ {4}(\w+): /gm) ?? [], ([, name]) => name);
  };
  const wrong = await config({ REDIS_URL: "redis://redis", AUTH_SECRET: "short", HISTORY_LIMIT: "many" });
  expect(faults(wrong, "ingest")).toEqual(["AUTH_SECRET", "HISTORY_LIMIT"]);
  expect(faults(wrong, "door")).toEqual(["REDIS_REST_TOKEN"]);
  expect(faults(wrong, "commands")).toEqual([]);
  const right = await config({ REDIS_URL: "redis://redis", AUTH_SECRET: "a secret of enough length" });
  expect(faults(right, "ingest")).toEqual([]);
});
