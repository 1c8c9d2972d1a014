import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import postgres from "postgres";
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../../db/local/port.ts";
import { type PostgresOptions, startPostgres } from "../../db/local/postgres.ts";
import { postgresAccount } from "../../db/local/postgres-account.ts";
import { afterLeftovers } from "../../db/local/postgres-lock.ts";
import { startRedis } from "../../db/local/redis.ts";
import { findRedis } from "../../db/local/redis-find.ts";
import { ensureRedis, type Machine } from "../../db/local/redis-install.ts";
import { startTestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const root = mkdtempSync(join(tmpdir(), "playhead-local-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the local Postgres", () => {
  const dir = join(root, "data", "postgres");
  const start = (options: Partial<PostgresOptions> = {}) => startPostgres({ dir, ...options });

  test("finds its data again after a stop", async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE kept (n int)");
    await query(first.url, "INSERT INTO kept VALUES (1)");
    await first.stop();
    await first.stop();
    expect(existsSync(join(dir, "postmaster.pid"))).toBe(false);

    const second = await start();
    expect(await query(second.url, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
    await second.stop();
  });

  test("finds what it committed again after kill -9, on the same port", async () => {
    const first = await start();
    await query(first.url, "INSERT INTO kept VALUES (2)");
    await first.kill();
    expect(existsSync(join(dir, "postmaster.pid"))).toBe(true);

    const second = await start({ port: first.port });
    expect(second.port).toBe(first.port);
    expect(await query(second.url, "SELECT n FROM kept ORDER BY n")).toEqual([{ n: 1 }, { n: 2 }]);
    await second.stop();
  });

  test("starts at once after a kill from outside, with a client still connected", async () => {
    const first = await start();
    const client = postgres(first.url, { max: 1, onnotice: () => {} });
    const busy = client`SELECT pg_sleep(60)`.catch(() => "cut off");
    const sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    await until(async () => (await query(first.url, sleeping)).length === 1);
    process.kill(first.pid, "SIGKILL");
    const second = await start();
    expect(await busy).toBe("cut off");
    expect(await query(second.url, "SELECT count(*)::int AS n FROM kept")).toEqual([{ n: 2 }]);
    await client.end({ timeout: 0 });
    await second.stop();
  });

  test("waits while a killed server's own children still hold the data, and for nothing else", async () => {
    let refusals = 2;
    const start = async () => {
      if (refusals-- > 0)
        throw new Error("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use");
      return "started";
    };
    expect(await afterLeftovers(start)).toBe("started");
    refusals = Number.POSITIVE_INFINITY;
    await expect(afterLeftovers(start, 20)).rejects.toThrow("still in use");
    await expect(afterLeftovers(() => Promise.reject(new Error("no space")))).rejects.toThrow("no space");
  });

  test("is not fooled by a process that bears the dead server's pid", async () => {
    const first = await start();
    await first.kill();
    const stranger = spawn("sleep", ["600"], { ...postgresAccount() });
    const lock = join(dir, "postmaster.pid");
    writeFileSync(lock, readFileSync(lock, "utf8").replace(/^.*/, String(stranger.pid)));

    const second = await start();
    expect(await query(second.url, "SELECT count(*)::int AS n FROM kept")).toEqual([{ n: 2 }]);
    await second.stop();
    stranger.kill();
  });

  test("never runs as root, and keeps its directory to itself", async () => {
    const server = await start();
    const [row] = await query(
      server.url,
      "SELECT current_setting('fsync') AS fsync, datcollate FROM pg_database WHERE datname = 'playhead'",
    );
    expect(row).toEqual({ fsync: "on", datcollate: "C" });
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(dir).uid).not.toBe(0);
    if (process.platform === "linux") expect(statSync(`/proc/${server.pid}`).uid).not.toBe(0);
    await server.stop();
  });

  test("refuses a directory that another server works in, and names that server", async () => {
    const server = await start();
    await expect(start()).rejects.toThrow(`process ${server.pid}) already works in ${dir}`);
    expect(await query(server.url, "SELECT 1 AS alive")).toEqual([{ alive: 1 }]);
    await server.stop();
  });

  test("repeats the server's own words when it cannot start", async () => {
    const blocked = await blockedPort();
    await expect(start({ port: blocked.port })).rejects.toThrow(/Address already in use/);
    await expect(start({ settings: { work_mem: "nonsense" } })).rejects.toThrow(
      /invalid value for parameter "work_mem"/,
    );
    await blocked.release();
  });
});

describe("the local Redis", () => {
  test("has every accepted entry after kill -9", async () => {
    const first = await startTestRedis();
    await command(first.url, "XADD", "stream", "*", "n", "1");
    await first.kill();
    const second = await first.restart();
    expect(second.port).toBe(first.port);
    expect(second.pid).not.toBe(first.pid);
    expect(await command(second.url, "XLEN", "stream")).toBe(1);
    expect(await command(second.url, "CONFIG", "GET", "appendfsync")).toEqual(["appendfsync", "always"]);
    expect(await command(second.url, "CONFIG", "GET", "hash-max-listpack-entries")).toEqual([
      "hash-max-listpack-entries",
      "64",
    ]);
    expect(await command(second.url, "CONFIG", "GET", "maxmemory-policy")).toEqual([
      "maxmemory-policy",
      "noeviction",
    ]);
    await second.stop();
    expect(existsSync(second.dir)).toBe(false);
  });

  test("has the search module where there is one, and leaves it out on request", async () => {
    const found = findRedis()?.searchModule !== undefined;
    const redis = await startTestRedis();
    const modules = JSON.stringify(await command(redis.url, "MODULE", "LIST"));
    expect(redis.search).toBe(found);
    expect(/"(ft|search)"/.test(modules)).toBe(found);
    await redis.stop();

    const plain = await startTestRedis({ search: false });
    expect(plain.search).toBe(false);
    await plain.stop();
  });

  test("goes on without a module that it cannot load, unless that one is wanted", async () => {
    const server = findRedis()?.server ?? "redis-server";
    const program = { server, searchModule: join(root, "no-such-module.so") };
    const redis = await startTestRedis({ program });
    expect(redis.search).toBe(false);
    await redis.stop();
    await expect(startTestRedis({ program, search: true })).rejects.toThrow(/no-such-module/);
  });

  test("refuses a directory that another Redis works in", async () => {
    const dir = join(root, "redis");
    const redis = await startRedis({ dir });
    await expect(startRedis({ dir })).rejects.toThrow(`Redis (process ${redis.pid}) already works in ${dir}`);
    await redis.stop();
  });

  test("repeats the server's own words when it cannot start", async () => {
    const blocked = await blockedPort();
    await expect(startTestRedis({ port: blocked.port })).rejects.toThrow(/Address already in use/);
    await expect(startTestRedis({ extraArgs: ["--no-such-option", "1"] })).rejects.toThrow(/no-such-option/);
    await blocked.release();
  });
});

describe("a parent that crashes", () => {
  test("takes its servers with it, and the next start finds everything", async () => {
    const dirs = { redis: join(root, "crash-redis"), postgres: join(root, "crash-postgres") };
    const local = join(import.meta.dirname, "../../db/local/");
    const program = `
      import { startPostgres } from "${local}postgres.ts";
      import { startRedis } from "${local}redis.ts";
      const servers = [await startRedis({ dir: "${dirs.redis}" }), await startPostgres({ dir: "${dirs.postgres}" })];
      console.log(JSON.stringify(servers));
      process.kill(process.pid, "SIGKILL");
    `;
    const crashed = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    expect(crashed.signal, crashed.stderr).toBe("SIGKILL");
    const [redis, postgres]: { port: number }[] = JSON.parse(crashed.stdout);

    const again = await startRedis({ dir: dirs.redis, port: redis?.port ?? 0 });
    const database = await startPostgres({ dir: dirs.postgres, port: postgres?.port ?? 0 });
    expect(await query(database.url, "SELECT 1 AS alive")).toEqual([{ alive: 1 }]);
    await again.stop();
    await database.stop();
  });
});

describe("a machine without Redis", () => {
  test("is told the one command for Debian, macOS and Docker", async () => {
    const error = await ensureRedis(machine({ aptPrefix: () => undefined })).catch((cause: unknown) => cause);
    expect(String(error)).toContain("sudo apt-get install -y redis-server redis-redisearch");
    expect(String(error)).toContain("brew install redis");
    expect(String(error)).toContain("docker run -d -p 6379:6379 redis:8");
    expect(String(error)).toContain("REDIS_URL=redis://127.0.0.1:6379");
  });

  test("gets Debian's packages where we may install them, and is told so", async () => {
    const program = { server: "/usr/bin/redis-server", searchModule: undefined };
    const ran: string[] = [];
    const said: string[] = [];
    const found = await ensureRedis(
      machine({
        find: () => (ran.some((line) => line.includes("install")) ? program : undefined),
        run: (line) => void ran.push(line.join(" ")),
        say: (line) => void said.push(line),
      }),
    );
    expect(found).toBe(program);
    expect(ran.at(-1)).toMatch(/^sudo -n env .*apt-get install -y .*redis-server redis-redisearch$/);
    expect(said[0]).toContain("installing Debian's redis-server and redis-redisearch");
  });

  test("does without the search module where the distribution has none", async () => {
    const ran: string[] = [];
    const run = (line: readonly string[]) => {
      ran.push(line.join(" "));
      if (line.includes("redis-redisearch")) throw new Error("Unable to locate package");
    };
    const program = { server: "/usr/bin/redis-server", searchModule: undefined };
    await ensureRedis(machine({ find: () => (ran.length > 2 ? program : undefined), run }));
    expect(ran.at(-1)).toMatch(/install -y --no-install-recommends redis-server$/);
  });

  test("is told what to do when installing fails", async () => {
    const run = () => {
      throw new Error("no network");
    };
    await expect(ensureRedis(machine({ run }))).rejects.toThrow("brew install redis");
  });

  test("is one where no folder has a server", () => {
    expect(findRedis({ folders: [root], modules: () => [] })).toBeUndefined();
  });
});

function machine(differences: Partial<Machine>): Machine {
  return {
    find: () => undefined,
    aptPrefix: () => ["sudo", "-n"],
    run: () => {},
    say: () => {},
    ...differences,
  };
}

async function query(url: string, text: string): Promise<postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end();
  }
}

async function command(url: string, name: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(url);
  try {
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

async function blockedPort(): Promise<{ port: number; release(): Promise<void> }> {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { port, release: () => new Promise((resolve) => void server.close(() => resolve())) };
}
