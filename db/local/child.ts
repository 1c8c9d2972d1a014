import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { poll } from "./poll.ts";
import { tether } from "./tether.ts";

/**
 * Starts a server process and answers when it is ready; a start that fails throws with the
 * server's own last words.
 *
 * The child lives in a session of its own, so Ctrl-C reaches only the parent, which decides the
 * order of stopping. It never outlives the parent, however that ends.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, args, spawnAs = {}, stopSignal, ready, timeout = 60_000 } = options;
  const child = spawn(command, args, {
    ...spawnAs,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: serverEnv(),
  });
  const log = keepLastLines(child);
  const { exited, closed } = endings(child);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start: ${await exited}`);
  void exited.then(tether(pid, stopSignal));
  releaseParent(child);

  const running = () => child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals) => {
    child.ref();
    if (running()) child.kill(signal);
    const insist = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE);
    await exited;
    clearTimeout(insist);
    await atMost(CLOSE_GRACE, closed);
  };
  const readyOrEnded = async () => !running() || (await ready({ pid, log }));

  let why = `was not ready within ${timeout} ms`;
  try {
    const seen = await poll(readyOrEnded, timeout);
    if (seen && running()) return { pid, log, stop: () => end(stopSignal), kill: () => end("SIGKILL") };
    if (seen) why = "stopped while starting";
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  await end("SIGKILL");
  throw new Error(`${name} did not start: it ${why}. Its last words:\n${log()}`);
}

/** Nothing of the user's own settings (PGDATA, a locale) reaches a server of ours. */
export function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** A server may take this long over a clean stop (a checkpoint, a last fsync) before it is killed. */
const STOP_GRACE = 60_000;
/** Its own children (Postgres backends, Redis forks) may take this long to notice and end. */
const CLOSE_GRACE = 10_000;
const KEPT_LINES = 40;

/** `exited` when the process is gone; `closed` when everything it forked has let go of its log, too. */
function endings(child: ChildProcess): { exited: Promise<string>; closed: Promise<void> } {
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`${signal ?? code}`));
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return { exited, closed };
}

function keepLastLines(child: ChildProcess): () => string {
  let tail = "";
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).split("\n").slice(-KEPT_LINES).join("\n");
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => tail.trim();
}

/** A running server does not keep a finished program alive. */
function releaseParent(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
}

async function atMost(timeout: number, fact: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeout);
  await Promise.race([fact, promise]);
  clearTimeout(timer);
}

type ChildOptions = {
  name: string;
  command: string;
  args: string[];
  spawnAs?: { cwd?: string; uid?: number; gid?: number };
  /** The signal that asks for a clean stop. */
  stopSignal: NodeJS.Signals;
  ready: (child: { pid: number; log: () => string }) => boolean | Promise<boolean>;
  timeout?: number;
};

export type Child = {
  pid: number;
  /** The last lines that the server wrote. */
  log(): string;
  /** Asks for a clean stop and waits until the server and all that it forked are gone. Idempotent. */
  stop(): Promise<void>;
  /** A power cut: SIGKILL, then waits likewise. */
  kill(): Promise<void>;
};
