import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Where everything that outlives a run is kept: the stores' data, the secrets, the logs of the last run. */
export function dataDir(env: Env): string {
  return resolve(env.DATA_DIR || join(ROOT, ".playhead"));
}

/** Where the embedded Postgres keeps its data: `npm start` and the migration commands mean the same one. */
export function postgresDir(env: Env): string {
  return join(dataDir(env), "postgres");
}

/** Where a process of the last run said what it had to say. */
export function logFile(dir: string, name: string): string {
  return join(dir, "log", `${name}.log`);
}

export type Env = Readonly<Record<string, string | undefined>>;
