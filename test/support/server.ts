import { join } from "node:path";
import { type Part, spawnPart } from "../../commands/local/part.ts";
import { until } from "./until.ts";

/** A server process that can be killed, and started again on the same port with the same data. */
export type Server = {
  name: string;
  url: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Resolves when it answers. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  lastWords(): string;
};

/** A store as such a server. */
export async function storeOf(name: string, start: (port: number) => Promise<RunningStore>): Promise<Server> {
  let running = await start(0);
  const { port, url } = running;
  return {
    name,
    url,
    kill: () => running.kill(),
    restart: async () => {
      running = await start(port);
    },
    stop: () => running.stop(),
    lastWords: () => running.log(),
  };
}

/** A program of ours as such a server. It has started when it answers at its port, in whatever words. */
export async function programOf(options: {
  name: string;
  file: string;
  port: number;
  env: Record<string, string | undefined>;
  /** Where its log goes. */
  dir: string;
}): Promise<Server> {
  const { name, file, port, env, dir } = options;
  const url = `http://127.0.0.1:${port}`;
  let part: Part | undefined;
  let starts = 0;

  async function start(): Promise<void> {
    const log = join(dir, `${name.replaceAll(" ", "-")}.${++starts}.log`);
    const own = spawnPart({ name, command: process.execPath, args: [file], env, log });
    part = own;
    let ended: string | undefined;
    void own.ended.then((how) => {
      ended = how;
    });
    const what = `${name} to answer at ${url}`;
    await until(async () => ended ?? (await fetch(url)).status, { timeout: 30_000, what });
    if (ended !== undefined) throw new Error(`${name} ended ${ended}: ${own.lastWords()}`);
  }

  await start();
  return {
    name,
    url,
    kill: async () => await part?.kill(),
    restart: start,
    stop: async () => await part?.stop(),
    lastWords: () => part?.lastWords() ?? "",
  };
}

type RunningStore = {
  port: number;
  url: string;
  log(): string;
  kill(): Promise<void>;
  stop(): Promise<void>;
};
