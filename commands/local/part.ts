import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Child } from "../../db/local/child.ts";
import { tether } from "../../db/local/tether.ts";
import { type Env, ROOT } from "./paths.ts";

/**
 * Starts a program of ours as a part of the whole.
 *
 * It leads a session of its own: Ctrl-C reaches only us, who decide the order of stopping, and
 * whatever it started can be ended with it. It never outlives us, however we end.
 */
export function spawnPart(options: PartOptions): Part {
  const { name, command, args, env, log, secretsFile } = options;
  if (log !== undefined) mkdirSync(dirname(log), { recursive: true });
  const output = log === undefined ? "inherit" : openSync(log, "w", 0o600);
  const child = spawn(command, args, { cwd: ROOT, env, detached: true, stdio: ["ignore", output, output] });
  if (typeof output === "number") closeSync(output);

  const ended = ending(child);
  const { pid } = child;
  if (secretsFile !== undefined) void ended.then(() => rmSync(secretsFile, { force: true }));
  if (pid !== undefined) void ended.then(tether(pid, "SIGTERM"));

  const end = async (signal: NodeJS.Signals) => {
    if (signal === "SIGKILL") killGroup(pid);
    else child.kill(signal);
    const insist = setTimeout(() => killGroup(pid), STOP_GRACE);
    await ended;
    clearTimeout(insist);
  };
  return {
    name,
    ended,
    lastWords: () => (log === undefined ? "" : tail(log)),
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** A store is a part, too. It is another's child, so its end is seen by its pid going away. */
export function storePart(name: string, store: Child): Part {
  return { name, ended: goneSoon(store.pid), lastWords: store.log, stop: store.stop, kill: store.kill };
}

/** Ingest gives itself 15 s for what is under way; nothing else takes as long. */
const STOP_GRACE = 20_000;
const LAST_LINES = 20;
const LOOK_EVERY = 500;

/** Whatever the program leaves behind ends with it: wrangler's workerd and esbuild when wrangler itself was killed. */
async function ending(child: ChildProcess): Promise<string> {
  const how = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ? `by ${signal}` : `with exit code ${code}`));
  });
  killGroup(child.pid);
  return how;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nobody of the group is left
  }
}

function goneSoon(pid: number): Promise<string> {
  return new Promise((resolve) => {
    const looking = setInterval(() => {
      try {
        process.kill(pid, 0);
      } catch {
        clearInterval(looking);
        resolve("by itself");
      }
    }, LOOK_EVERY).unref();
  });
}

function tail(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-LAST_LINES).join("\n");
}

type PartOptions = {
  name: string;
  command: string;
  args: string[];
  env: Env;
  /** Where its output goes, anew at each start; to our own when there is none. */
  log?: string;
  /** Read by the program, and removed when it ends. */
  secretsFile?: string;
};

export type Part = {
  name: string;
  /** Resolves, in words, when the process is gone, however that came. */
  ended: Promise<string>;
  lastWords(): string;
  /** Asks for a clean stop and insists after a while. May be called again. */
  stop(): Promise<void>;
  kill(): Promise<void>;
};
