import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../db/local/port.ts";
import { startTestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { linesToPaste, type Playhead, playheadIn } from "./playhead.ts";

describe.each(["node", "workerd", "deno"])("npm start, the edge on %s", { timeout: 120_000 }, (runtime) => {
  const playhead = playheadIn();
  // wrangler reads variables from a file, where these characters mean something
  const given = { AUTH_SECRET: "a $HOME 'secret' \\$ # of \"mine\"" };
  const env = { EDGE_RUNTIME: runtime, ...(runtime === "workerd" ? given : {}) };
  afterAll(() => playhead.clear());

  test("the three lines work as printed; SIGTERM ends it cleanly and leaves no process", async () => {
    const running = playhead.start(env);
    const [write = "", history = "", item = "", ...more] = await linesToPaste(running);
    expect(more).toEqual([]);

    expect(JSON.parse(await pasted(write))).toMatchObject({ status: "ok" });
    const watched = { content_id: "big-buck-bunny", playback_time: 120, duration: 596 };
    await until(async () => JSON.parse(await pasted(history)).length === 1);
    expect(JSON.parse(await pasted(history))).toEqual([expect.objectContaining(watched)]);
    expect(JSON.parse(await pasted(item))).toMatchObject(watched);

    keepsItsSecrets(playhead, running.said.out);
    running.child.kill("SIGTERM");
    expect(await running.code).toBe(0);
    expect(running.said.err).toBe("");
    expect(running.said.out).toMatch(
      /Stopping the edge\nStopping ingest\nStopping the Redis door\nStopping Redis\nStopping PostgreSQL\n$/,
    );
    expect(playhead.processes()).toEqual([]);
    expect(readdirSync(playhead.dir).filter((name) => name.endsWith(".env"))).toEqual([]);
  });

  test("started again it has the history, and the old token is good; SIGKILL leaves no process", async () => {
    const running = playhead.start(env);
    const [, history = ""] = await linesToPaste(running);
    expect(JSON.parse(await pasted(history))).toEqual([
      expect.objectContaining({ content_id: "big-buck-bunny" }),
    ]);
    expect(playhead.processes().length).toBeGreaterThanOrEqual(6);

    running.child.kill("SIGKILL");
    await until(() => playhead.processes().length === 0, { timeout: 30_000, what: "the children to end" });
  });
});

describe("npm start on a bad day", { timeout: 120_000 }, () => {
  const playhead = playheadIn();
  afterAll(() => playhead.clear());

  test("SIGTERM to npm alone, as a supervisor sends it, leaves no process", async () => {
    const running = playhead.npmStart({ EDGE_RUNTIME: "node" });
    await linesToPaste(running);
    running.child.kill("SIGTERM");
    await until(() => playhead.processes().length === 0, { timeout: 30_000, what: "everything to end" });
    expect(running.said.out).toContain("Stopping PostgreSQL");
  });

  test.each(["EDGE_PORT", "INGEST_PORT", "REDIS_REST_PORT"])(
    "%s is taken: says so and starts nothing",
    async (name) => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      onTestFinished(() => void server.close());
      const address = server.address();
      const port = String(typeof address === "object" ? address?.port : "");

      const running = playhead.start({ [name]: port });
      expect(await running.code).toBe(1);
      expect(running.said.err).toBe(
        `Port ${port} is taken by another program. Stop that one, or set ${name} to a free port.\n`,
      );
      expect(running.said.out).toBe("");
      expect(playhead.processes()).toEqual([]);
    },
  );

  test("every wrong variable is named at once", async () => {
    const running = playhead.start({
      EDGE_RUNTIME: "bun",
      INGEST_PORT: "many",
      UPSTASH_REDIS_REST_URL: "http://x",
    });
    expect(await running.code).toBe(1);
    for (const name of ["EDGE_RUNTIME", "INGEST_PORT", "UPSTASH_REDIS_REST_TOKEN", "REDIS_URL"]) {
      expect(running.said.err).toContain(`${name}:`);
    }
  });

  test.each([
    ["ingest/main.ts", "ingest"],
    ["redis-server", "Redis"],
  ])("%s dies: the rest is stopped, and the message names it", async (program, name) => {
    const running = playhead.start({ EDGE_RUNTIME: "node" });
    await linesToPaste(running);
    process.kill(pidOf(playhead, program), "SIGKILL");
    expect(await running.code).toBe(1);
    expect(running.said.err).toMatch(new RegExp(`^${name} ended by .*Its last words:\n.+`, "s"));
    expect(running.said.out).toMatch(/Stopping PostgreSQL\n$/);
    expect(playhead.processes()).toEqual([]);
  });

  test("a part that cannot start says why in its own words", async () => {
    const running = playhead.start({ EDGE_RUNTIME: "node", BACKLOG_LIMIT: "much" });
    expect(await running.code).toBe(1);
    expect(running.said.err).toMatch(/^ingest ended with exit code 1. Its last words:\n.*BACKLOG_LIMIT/s);
    expect(playhead.processes()).toEqual([]);
  });

  test("a stop while starting is a clean stop, too", async () => {
    const running = playhead.start({ EDGE_RUNTIME: "node" });
    await until(() => running.said.out.includes("Redis is up"));
    running.child.kill("SIGINT");
    expect(await running.code).toBe(0);
    expect(playhead.processes()).toEqual([]);
  });

  test("the same wish twice in a moment, as npm passes it on, does not force; a later one does", async () => {
    const running = playhead.start({ EDGE_RUNTIME: "node" });
    await linesToPaste(running);
    const ingest = pidOf(playhead, "ingest/main.ts");
    process.kill(ingest, "SIGSTOP");
    const asked = performance.now();
    running.child.kill("SIGINT");
    running.child.kill("SIGINT");
    await until(() => running.said.out.includes("Stopping ingest"));
    expect(playhead.processes().some((line) => line.includes("redis-server"))).toBe(true);

    await until(() => performance.now() - asked > 1_100);
    running.child.kill("SIGINT");
    expect(await running.code).toBe(1);
    expect(playhead.processes()).toEqual([]);
  });
});

describe("npm start with a Redis that was given", { timeout: 120_000 }, () => {
  test("its door keeps its restricted user over a restart of that Redis", async () => {
    const playhead = playheadIn();
    onTestFinished(() => playhead.clear());
    let redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const running = playhead.start({ EDGE_RUNTIME: "node", REDIS_URL: redis.url });
    const [write = "", history = ""] = await linesToPaste(running);
    await pasted(write);
    await until(async () => JSON.parse(await pasted(history)).length === 1);

    redis = await redis.restart();
    const admin = new Redis(redis.url);
    onTestFinished(() => admin.disconnect());
    await until(async () => String(await admin.call("CLIENT", "LIST")).includes("user=edge-"));
    await until(async () => JSON.parse(await pasted(history)).length === 1);
    running.child.kill("SIGTERM");
    expect(await running.code).toBe(0);
  });

  test("where it permits no users, the door takes the URL as it is, and the user is warned", async () => {
    const playhead = playheadIn();
    onTestFinished(() => playhead.clear());
    const redis = await startTestRedis({
      extraArgs: ["--user", "default", "on", "nopass", "~*", "&*", "+@all", "-acl"],
    });
    onTestFinished(() => redis.stop());
    const running = playhead.start({ EDGE_RUNTIME: "node", REDIS_URL: redis.url });
    const [write = ""] = await linesToPaste(running);
    expect(running.said.out).toMatch(/Warning: this Redis permits no user of its own for the edge \(NOPERM/);
    expect(JSON.parse(await pasted(write))).toMatchObject({ status: "ok" });
  });

  test("one that does not answer is named by its variable", async () => {
    const playhead = playheadIn();
    onTestFinished(() => playhead.clear());
    const running = playhead.start({ EDGE_RUNTIME: "node", REDIS_URL: "redis://:hidden-word@127.0.0.1:1" });
    expect(await running.code).toBe(1);
    expect(running.said.err).toMatch(/^REDIS_URL: Redis at 127.0.0.1:1 does not answer: /);
    expect(running.said.out + running.said.err).not.toContain("hidden-word");
    expect(playhead.processes()).toEqual([]);
  });
});

describe("npm run edge", { timeout: 120_000 }, () => {
  const playhead = playheadIn();
  afterAll(() => playhead.clear());
  const env = {
    UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
    UPSTASH_REDIS_REST_TOKEN: "a token",
    INGEST_URL: "http://127.0.0.1:1",
    AUTH_SECRET: "a secret for this test only",
  };

  test.each(["node", "workerd", "deno"])("runs the edge alone on %s, until SIGTERM", async (runtime) => {
    const port = String(await freePort());
    const running = playhead.command("edge", [], { ...env, EDGE_RUNTIME: runtime, EDGE_PORT: port });
    await until(async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok, { timeout: 30_000 });
    running.child.kill("SIGTERM");
    expect(await running.code).toBe(0);
    expect(playhead.processes()).toEqual([]);
  });

  test("ends with it when it dies", async () => {
    const port = String(await freePort());
    const running = playhead.command("edge", [], { ...env, EDGE_RUNTIME: "workerd", EDGE_PORT: port });
    await until(async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok, { timeout: 30_000 });
    process.kill(pidOf(playhead, "wrangler.js"), "SIGKILL");
    expect(await running.code).toBe(1);
    expect(running.said.err).toContain("the edge ended by SIGKILL.");
    await until(() => playhead.processes().length === 0, { what: "workerd and esbuild to end" });
  });

  test("a missing variable is named", async () => {
    const running = playhead.command("edge", [], { ...env, INGEST_URL: "" });
    expect(await running.code).toBe(1);
    expect(running.said.err).toContain("INGEST_URL:");
  });
});

/** What the line answers, run as a shell runs what is pasted. */
async function pasted(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", line]);
  return stdout;
}

function pidOf(playhead: Playhead, program: string): number {
  const line = playhead.processes().find((its) => its.includes(program));
  if (line === undefined) throw new Error(`${program} is not running`);
  return Number.parseInt(line, 10);
}

/** No secret is in an argument, in what was printed, in a log, or in a file that others can read. */
function keepsItsSecrets(playhead: Playhead, printed: string): void {
  const file = join(playhead.dir, "secrets.json");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const secrets: string[] = Object.values(JSON.parse(readFileSync(file, "utf8")));
  const logs = join(playhead.dir, "log");
  const open = [
    printed,
    execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }),
    ...readdirSync(logs).map((name) => readFileSync(join(logs, name), "utf8")),
  ];
  for (const secret of secrets) for (const text of open) expect(text.includes(secret)).toBe(false);
  const others = readdirSync(playhead.dir).filter((name) => name.endsWith(".env"));
  for (const name of others) expect(statSync(join(playhead.dir, name)).mode & 0o777).toBe(0o600);
}
