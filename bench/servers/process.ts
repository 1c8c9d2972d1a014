import { fileURLToPath } from "node:url";
import { startChild } from "../../db/local/child.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * One of our entry files as a process of its own, which ends with this one. It is ready once it has logged the
 * port it listens on.
 *
 * @param flags for Node itself, such as `--cpu-prof`.
 */
export async function startProcess(
  file: string,
  env: Record<string, string>,
  flags: readonly string[] = profileFlags(file),
): Promise<Running> {
  const port = (log: string) => Number(/(?:port":|:)(\d+)\D*$/m.exec(log)?.[1]);
  const child = await startChild({
    name: file,
    command: "/usr/bin/env",
    args: [
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...[process.execPath, ...flags, `${ROOT}${file}`],
    ],
    stopSignal: "SIGTERM",
    ready: ({ log }) => /listening/.test(log()) && port(log()) > 0,
  });
  return {
    url: `http://127.0.0.1:${port(child.log())}`,
    pid: child.pid,
    log: child.log,
    stop: child.stop,
    pause: () => void process.kill(child.pid, "SIGSTOP"),
    resume: () => void process.kill(child.pid, "SIGCONT"),
  };
}

/** `BENCH_PROFILE=dir` writes a CPU profile of every process under test there, for Chrome's or VS Code's viewer. */
function profileFlags(file: string): string[] {
  const dir = process.env.BENCH_PROFILE;
  if (!dir) return [];
  const name = `${file.replaceAll("/", "-")}-${Date.now()}.cpuprofile`;
  return ["--cpu-prof", `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${name}`];
}

export type Running = {
  url: string;
  pid: number;
  /** Its last lines. */
  log(): string;
  stop(): Promise<void>;
  /** The process stands still where it is, and goes on as if nothing had been. */
  pause(): void;
  resume(): void;
};
