import { spawn } from "node:child_process";
import { Socket } from "node:net";

/**
 * Makes a process end with this one.
 *
 * A small shell holds the reading end of a pipe whose writing end is ours. When we end in any way,
 * SIGKILL included, the pipe closes and the shell sends the process its stop signal.
 *
 * @returns cuts the tether: to be called once the process is gone, before its pid is a stranger's.
 */
export function tether(pid: number, signal: NodeJS.Signals): () => void {
  const script = `read -r _; kill -${signal.replace("SIG", "")} ${pid}`;
  const shell = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return () => void shell.kill("SIGKILL");
}
