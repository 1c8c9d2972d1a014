import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { poll } from "./poll.ts";

/**
 * Waits until no server works in the directory, or says who does.
 *
 * A server whose parent crashed stops by itself within moments (see `tether` in child.ts), so an
 * immediate restart waits for it. Whoever is still there after that is another Playhead at work.
 */
export async function untilVacant(
  name: string,
  dir: string,
  pidFile: string,
  timeout = 5_000,
): Promise<void> {
  const vacant = await poll(() => occupant(dir, pidFile) === undefined, timeout);
  const pid = vacant ? undefined : occupant(dir, pidFile);
  if (pid === undefined) return;
  throw new Error(
    `${name} (process ${pid}) already works in ${dir}: another Playhead is running on this directory. ` +
      `Stop that one, or give this one a directory of its own. If nothing else is left of it: kill ${pid}`,
  );
}

/** The live process that the pid file names, if it really works in this directory: pids are used again. */
function occupant(dir: string, pidFile: string): number | undefined {
  const pid = pidIn(pidFile);
  return pid !== undefined && workingDirectory(pid) === realpathSync(dir) ? pid : undefined;
}

/** The process id on the first line of a pid file. */
export function pidIn(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch {
    return undefined;
  }
}

/** Undefined for a process that is gone, a zombie, or not ours to look at. */
function workingDirectory(pid: number): string | undefined {
  try {
    if (process.platform === "linux") return readlinkSync(`/proc/${pid}/cwd`);
    const fields = execFileSync("lsof", ["-a", "-p", String(pid), "-d", "cwd", "-Fn"], { encoding: "utf8" });
    return /^n(.*)$/m.exec(fields)?.[1];
  } catch {
    return undefined;
  }
}
