import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Account, postgresAccount } from "../../db/local/postgres-account.ts";
import { tether } from "../../db/local/tether.ts";
import { imageFiles, imagePackages, ROOT } from "./image.ts";

/** Puts what the image has into a folder: the files that it copies, and the packages that it installs. */
export function makeImage(folder: string): void {
  for (const path of imageFiles()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path));
  }
  for (const path of imagePackages()) {
    // Packages of a package stand in its own folder, below, and are named for themselves.
    const filter = (source: string) => !source.slice(join(ROOT, path).length).startsWith("/node_modules");
    cpSync(join(ROOT, path), join(folder, path), { recursive: true, filter });
  }
  chmodSync(folder, 0o755);
}

/** What the Dockerfile sets, as the environment of everything that runs in the image. */
export function imageEnvironment(): Record<string, string> {
  const lines = readFileSync(join(ROOT, "Dockerfile"), "utf8").matchAll(/^ENV (.+)$/gm);
  const pairs = Array.from(lines).flatMap(([, words = ""]) => words.split(" "));
  return Object.fromEntries(pairs.map((pair) => pair.split("=") as [string, string]));
}

/**
 * Starts a program in the image's folder, with nothing but the environment that it is given there. As root it becomes `nobody`,
 * who may write nothing there; elsewhere it stays who we are.
 */
export function startInImage(folder: string, args: readonly string[], env: Record<string, string>): InImage {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...imageEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...account(),
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    said.out += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    said.err += String(chunk);
  });
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  if (child.pid !== undefined) void code.then(tether(child.pid, "SIGKILL"));
  return { said, code, signal: (name) => void child.kill(name) };
}

/** `nobody` may not be allowed to walk to our Node. */
function account(): Account {
  const nobody = postgresAccount();
  try {
    execFileSync(process.execPath, ["--version"], { ...nobody, stdio: "ignore", cwd: "/" });
    return nobody;
  } catch {
    return {};
  }
}

export type InImage = {
  said: { out: string; err: string };
  /** Its exit code, once it is gone; null when a signal ended it. */
  code: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
};
