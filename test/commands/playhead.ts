import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../support/until.ts";

/** A place for one Playhead: its data directory, and whatever is started there. */
export function playheadIn(dir = mkdtempSync(join(tmpdir(), "playhead-start-"))): Playhead {
  const started: ChildProcess[] = [];

  const command = (name: string, args: string[] = [], env: Record<string, string> = {}): Running =>
    launch(process.execPath, [join(COMMANDS, `${name}.ts`), ...args], env);

  const launch = (program: string, args: string[], env: Record<string, string>): Running => {
    const child = spawn(program, args, {
      cwd: join(COMMANDS, ".."),
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", DATA_DIR: dir, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.push(child);
    const said = { out: "", err: "" };
    child.stdout?.on("data", (chunk) => {
      said.out += String(chunk);
    });
    child.stderr?.on("data", (chunk) => {
      said.err += String(chunk);
    });
    const code = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { child, said, code };
  };

  return {
    dir,
    command,
    start: (env = {}) => command("start", [], { ...FREE_PORTS, ...env }),
    npmStart: (env = {}) => launch("npm", ["start"], { ...FREE_PORTS, ...env }),
    processes: () => processesOf(dir),
    async clear() {
      for (const child of started) child.kill("SIGKILL");
      await until(() => processesOf(dir).length === 0, { timeout: 30_000, what: "every process to end" });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Waits for the three lines; fails at once when it ends instead. @returns them. */
export async function linesToPaste({ child, said }: Running): Promise<string[]> {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await until(() => said.out.includes("Ctrl-C stops everything") || ended(), { timeout: 60_000 });
  if (ended()) throw new Error(`It ended instead:\n${said.out}\n${said.err}`);
  return said.out.split("\n").filter((line) => line.startsWith("curl "));
}

const FREE_PORTS = { EDGE_PORT: "0", INGEST_PORT: "0", REDIS_REST_PORT: "0" };
const COMMANDS = fileURLToPath(new URL("../../commands/", import.meta.url));

/** Every process that works in the directory, was told of it, or has it in its environment. */
function processesOf(dir: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const traces = [
        () => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "),
        () => readlinkSync(`/proc/${pid}/cwd`),
        () => readFileSync(`/proc/${pid}/environ`, "utf8"),
      ].map(orNothing);
      return traces.some((trace) => trace.includes(dir)) ? [`${pid} ${traces[0]}`] : [];
    });
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

export type Running = {
  child: ChildProcess;
  said: { out: string; err: string };
  /** Its exit code, once it and everybody who shares its output is gone. */
  code: Promise<number | null>;
};

export type Playhead = {
  dir: string;
  command(name: string, args?: string[], env?: Record<string, string>): Running;
  /** What `npm start` runs, on free ports. */
  start(env?: Record<string, string>): Running;
  /** npm itself, as a supervisor would start and signal it. */
  npmStart(env?: Record<string, string>): Running;
  /** Pid and command line of all that is left of it. */
  processes(): string[];
  /** Kills what was started, waits until nothing is left, and removes the directory. */
  clear(): Promise<void>;
};
