import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Environment as redisUsers } from "../../commands/local/acl-file.ts";
import { ROOT } from "../../commands/local/paths.ts";
import { localVariables } from "../../commands/local/settings.ts";
import { Environment as edge } from "../../edge/env.ts";
import { Environment as ingest } from "../../ingest/config.ts";
import { Environment as door } from "../../ingest/redis-rest/config.ts";

const shapes = [edge.shape, ingest.shape, door.shape, redisUsers.shape, localVariables];
const described = new Set(shapes.flatMap((shape) => Object.keys(shape)));
/** Of the system, and bindings of the Worker, which are no variables. */
const OTHERS = new Set(["PATH", "ASSETS", "RATE_LIMITER"]);

const files = globSync("{commands,db,edge,ingest}/**/*.ts", { cwd: ROOT });

/** What a source reads from an environment: `env.NAME`, and `{ NAME } = ...env`, in whatever object the environment is. */
function namesRead(source: string): string[] {
  const code = source.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, "");
  const dotted = Array.from(code.matchAll(/\benv\??\.([A-Z][A-Z0-9_]+)\b/g), ([, name = ""]) => name);
  const quoted = Array.from(code.matchAll(/\benv\["([A-Z][A-Z0-9_]+)"\]/g), ([, name = ""]) => name);
  const taken = Array.from(
    code.matchAll(/\{([^{}]*)\}\s*=\s*(?:process\.)?env\b/g),
    ([, names = ""]) => names,
  );
  return [...dotted, ...quoted, ...taken.flatMap((names) => names.match(/\b[A-Z][A-Z0-9_]{2,}\b/g) ?? [])];
}

describe("the environment", () => {
  test("is read in no name that config.ts and env.ts do not describe", () => {
    expect(files.length).toBeGreaterThan(150);
    const unknown = files.flatMap((file) =>
      namesRead(readFileSync(join(ROOT, file), "utf8"))
        .filter((name) => !described.has(name) && !OTHERS.has(name))
        .map((name) => `${file} reads ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test("is read by whoever is started, and by nobody who is imported", () => {
    const readers = files.filter((file) =>
      /\bprocess\.env\b|\bDeno\.env\b/.test(readFileSync(join(ROOT, file), "utf8")),
    );
    const started = /^(commands\/[^/]+|edge\/(node|deno)|ingest\/main|ingest\/redis-rest\/main)\.ts$/;
    // Of these it is PATH alone.
    const forPath = ["db/local/child.ts", "db/local/redis-find.ts"];
    expect(readers.filter((file) => !started.test(file) && !forPath.includes(file))).toEqual([]);
  });

  test("has each variable's words in one place, so that they cannot differ", () => {
    const words = new Map<string, Set<string>>();
    for (const shape of shapes) {
      for (const [name, schema] of Object.entries(shape)) {
        const its = words.get(name) ?? new Set();
        words.set(name, its.add(schema.description ?? ""));
      }
    }
    // Of these each process says what they are to it.
    for (const name of ["REDIS_URL", "HISTORY_INDEX"]) words.delete(name);
    expect([...words].filter(([, its]) => its.size > 1 || its.has(""))).toEqual([]);
  });

  test("whoever looks for names finds them, however they are taken", () => {
    const source =
      'a(env.ONE, env?.TWO, env["THREE"]); const { FOUR, FIVE: five, ...rest } = process.env; // env.SIX';
    expect(namesRead(source).sort()).toEqual(["FIVE", "FOUR", "ONE", "SIX", "THREE", "TWO"]);
  });
});
