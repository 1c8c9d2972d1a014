import { execFileSync, spawnSync } from "node:child_process";

/** What installing one of Debian's packages asks of a machine. */
export type Apt = {
  /** How to become root for apt-get: [] when we are, undefined when we may not or there is no apt. */
  aptPrefix(): readonly string[] | undefined;
  run(command: readonly string[]): void;
  say(line: string): void;
};

export const thisApt: Apt = {
  aptPrefix: () => {
    if (!succeeds(["apt-get", "--version"])) return undefined;
    if (process.getuid?.() === 0) return [];
    return succeeds(["sudo", "-n", "true"]) ? ["sudo", "-n"] : undefined;
  },
  run: ([command = "", ...args]) => {
    execFileSync(command, args, { stdio: ["ignore", 2, 2] });
  },
  say: (line) => console.error(line),
};

function succeeds([command = "", ...args]: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
