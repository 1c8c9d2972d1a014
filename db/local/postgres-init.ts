import { execFile } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { serverEnv } from "./child.ts";
import { type Account, seenFrom } from "./postgres-account.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";

/**
 * Creates an empty cluster, whole or not at all: it grows beside its place and is renamed into it,
 * so a crash half way leaves nothing that a later start could mistake for data.
 */
export async function initialise(cluster: {
  dir: string;
  binaries: PostgresBinaries;
  account: Account;
  /** Whether to wait for the disk. */
  durable: boolean;
}): Promise<void> {
  const { dir, binaries, account, durable } = cluster;
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new Error(`${dir} holds files but no Postgres cluster; it is left alone. Name another directory.`);
  }
  const draft = `${dir}.new-${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  chmodSync(draft, 0o700);
  if (account.uid !== undefined && account.gid !== undefined) chownSync(draft, account.uid, account.gid);

  const args = [
    "-D",
    seenFrom(account, draft),
    "-U",
    "postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
  ];
  try {
    await promisify(execFile)(binaries.initdb, durable ? args : [...args, "--no-sync"], {
      cwd: draft,
      env: serverEnv(),
      ...account,
    });
    renameSync(draft, dir);
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    throw new Error(`Postgres could not create a cluster in ${dir}`, { cause });
  }
}
