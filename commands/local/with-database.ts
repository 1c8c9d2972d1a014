import { readFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import * as z from "zod";
import { readEnvironment } from "../../db/environment.ts";
import { startPostgres } from "../../db/local/postgres.ts";
import { Environment } from "../../ingest/config.ts";
import { type Env, postgresDir } from "./paths.ts";
import { messageOf } from "./run.ts";

const Wanted = z.object({ DATABASE_URL: Environment.shape.DATABASE_URL });

/**
 * Works on the database that is meant: the one of DATABASE_URL, or else the embedded one, which is
 * started for the moment unless `npm start` has it running.
 */
export async function withDatabase<T>(env: Env, work: (url: string) => Promise<T>): Promise<T> {
  const { DATABASE_URL } = readEnvironment(Wanted, env);
  if (DATABASE_URL) return await work(DATABASE_URL);
  const dir = postgresDir(env);
  const running = await runningIn(dir);
  if (running !== undefined) return await work(running);

  const own = await startPostgres({ dir }).catch((cause: unknown) => {
    throw new Error(`DATABASE_URL is not set, and here no Postgres can be started: ${messageOf(cause)}`, {
      cause,
    });
  });
  try {
    return await work(own.url);
  } finally {
    await own.stop();
  }
}

/**
 * The server at work in the directory, by its lock file. A lock may be left over and its port by now
 * another server's, so whoever answers there must have started when the lock says.
 */
async function runningIn(dir: string): Promise<string | undefined> {
  const lock = readLock(join(dir, "postmaster.pid"));
  if (lock === undefined) return undefined;
  const url = `postgres://postgres@127.0.0.1:${lock.port}/playhead`;
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    const [server] = await sql`SELECT extract(epoch FROM pg_postmaster_start_time()) AS started`;
    return Math.abs(Number(server?.started) - lock.started) < SAME_START_SECONDS ? url : undefined;
  } catch {
    return undefined;
  } finally {
    await sql.end();
  }
}

/** Postgres reads the clock twice at its start: once for the lock and once for what it answers. */
const SAME_START_SECONDS = 5;

/** Its lines are: pid, data directory, start (epoch), port, ... */
function readLock(file: string): { started: number; port: number } | undefined {
  try {
    const [, , started, port] = readFileSync(file, "utf8").split("\n").map(Number);
    return started && port ? { started, port } : undefined;
  } catch {
    return undefined;
  }
}
