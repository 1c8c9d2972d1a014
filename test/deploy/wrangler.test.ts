import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { Environment, edgeConfig } from "../../edge/env.ts";
import { ROOT } from "../support/image.ts";

const config = join(ROOT, "wrangler.toml");
const text = readFileSync(config, "utf8");
const production = readConfig({ config, env: "production" });
const secrets = Array.from(
  text.matchAll(/wrangler secret put (\w+) --env production/g),
  ([, name = ""]) => name,
);

test("production is told what it needs, in variables that the edge reads", () => {
  const known = Object.keys(Environment.shape);
  expect(known).toEqual(expect.arrayContaining([...Object.keys(production.vars), ...secrets]));
  const given = { ...production.vars, UPSTASH_REDIS_REST_TOKEN: "a secret" };
  expect(edgeConfig(given)).toMatchObject({ auth: { jwksUrl: production.vars.AUTH_JWKS_URL } });
  const { AUTH_JWKS_URL, ...others } = given;
  expect(edgeConfig({ ...others, AUTH_SECRET: "a secret of enough length" })).toMatchObject({
    auth: { jwksUrl: undefined },
  });
});

test("no secret stands in it, and how to put each is said", () => {
  const hidden = Object.keys(Environment.shape).filter((name) => /(SECRET|TOKEN)$/.test(name));
  expect(secrets.toSorted()).toEqual(hidden.toSorted());
  expect(Object.keys(production.vars).filter((name) => hidden.includes(name))).toEqual([]);
});

test("production has a name of its own and the files of the rest", () => {
  const top = readConfig({ config });
  expect(production.routes).toEqual([
    { pattern: expect.stringContaining("example.com"), custom_domain: true },
  ]);
  expect(production.workers_dev).toBe(false);
  expect(top.routes).toBeUndefined();
  expect(production.assets).toEqual(top.assets);
});

test("production counts reads where the Worker runs, up to the number that the edge takes by default", () => {
  const limit = Environment.shape.RATE_LIMIT_PER_MINUTE.parse(undefined);
  expect(production.ratelimits).toEqual([
    { name: "RATE_LIMITER", namespace_id: expect.any(String), simple: { limit, period: 60 } },
  ]);
});

test("wrangler would deploy it, and warns of nothing", async () => {
  const out = mkdtempSync(join(tmpdir(), "playhead-worker-"));
  try {
    const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
    const args = [wrangler, "deploy", "--env", "production", "--dry-run", "--outdir", out];
    const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: out };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env });
    expect(stdout).toContain("--dry-run: exiting now.");
    expect(stdout + stderr).not.toMatch(/WARNING|Unexpected/i);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}, 60_000);
