import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { untilVacant } from "./occupied.ts";
import { onPort } from "./port.ts";
import type { RedisProgram } from "./redis-find.ts";
import { ensureRedis } from "./redis-install.ts";
import { redisAnswers } from "./redis-probe.ts";

/**
 * A Redis of our own on loopback, set up as promise 1 needs it: every accepted write is on disk
 * before it is answered, and nothing is ever evicted.
 *
 * Starting again on the same directory brings everything back, after `kill` as well as after `stop`.
 */
export async function startRedis(options: RedisOptions): Promise<LocalRedis> {
  const program = options.program ?? (await ensureRedis());
  mkdirSync(options.dir, { recursive: true });
  const dir = realpathSync(options.dir);
  const pidFile = join(dir, "redis.pid");
  await untilVacant("Redis", dir, pidFile);

  const module = options.search === false ? undefined : program.searchModule;
  const start = (withModule: string | undefined) =>
    onPort(options.port, (port) =>
      startOn(port, program.server, argumentsFor({ ...options, dir, pidFile, port, module: withModule })),
    );
  try {
    return await start(module);
  } catch (error) {
    const broken = module !== undefined && error instanceof Error && error.message.includes(module);
    if (!broken || options.search === true) throw error;
    console.error(`Redis cannot load ${module}; going on without search.`);
    return await start(undefined);
  }
}

async function startOn(port: number, server: string, args: string[]): Promise<LocalRedis> {
  const child = await startChild({
    name: `Redis on port ${port}`,
    command: server,
    args,
    stopSignal: "SIGTERM",
    ready: ({ log }) => /ready to accept connections/i.test(log()),
  });
  // Only our own log says that it was this process that bound the port; the answer says the rest.
  const { search } = await redisAnswers(port);
  return { ...child, url: `redis://127.0.0.1:${port}`, port, search };
}

function argumentsFor(options: {
  dir: string;
  pidFile: string;
  port: number;
  appendfsync?: RedisOptions["appendfsync"];
  module: string | undefined;
  extraArgs?: readonly string[];
}): string[] {
  const { dir, pidFile, port, appendfsync = "always", module, extraArgs = [] } = options;
  return [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--pidfile", pidFile],
    ...["--daemonize", "no", "--logfile", "", "--loglevel", "notice"],
    ...["--appendonly", "yes", "--appendfsync", appendfsync, "--save", ""],
    ...["--maxmemory-policy", "noeviction"],
    // A longer list is searched from its beginning for every field of a page.
    ...["--hash-max-listpack-entries", "64"],
    // Half of the items, found in time, must not pass for all of them.
    ...(module === undefined ? [] : ["--loadmodule", module, "ON_TIMEOUT", "FAIL"]),
    ...extraArgs,
  ];
}

export type RedisOptions = {
  dir: string;
  /** None, or 0, chooses a free one. */
  port?: number;
  appendfsync?: "always" | "everysec" | "no";
  /** true insists on the search module, false leaves it out; by default it is loaded where there is one. */
  search?: boolean;
  extraArgs?: readonly string[];
  /** By default whatever `ensureRedis` finds or installs. */
  program?: RedisProgram;
};

export type LocalRedis = Child & {
  url: string;
  port: number;
  /** Whether this Redis really has the search module. */
  search: boolean;
};
