import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

/**
 * The secrets of this data directory, made up when first asked for and the same ever after, so that
 * a token outlives a restart. Only the owner of the file can read them.
 */
export function localSecrets(dir: string): LocalSecrets {
  const file = join(dir, "secrets.json");
  return read(file) ?? create(dir, file);
}

const Secrets = z.object({
  auth_secret: z.string().min(16),
  door_token: z.string().min(16),
  edge_redis_password: z.string().min(16),
});

function read(file: string): LocalSecrets | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return Secrets.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file} does not hold the secrets it should. Remove it to have new ones made.`);
  }
}

/** Written beside its place and linked into it, so that of two commands at once both use the first one's. */
function create(dir: string, file: string): LocalSecrets {
  const secrets = { auth_secret: random(), door_token: random(), edge_redis_password: random() };
  const draft = `${file}.new-${process.pid}`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return secrets;
  } catch (error) {
    const theirs = read(file);
    if (theirs === undefined) throw error;
    return theirs;
  } finally {
    rmSync(draft);
  }
}

function random(): string {
  return randomBytes(32).toString("base64url");
}

export type LocalSecrets = z.infer<typeof Secrets>;
