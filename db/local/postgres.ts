import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import postgres from "postgres";
import { type Child, startChild } from "./child.ts";
import { pidIn, untilVacant } from "./occupied.ts";
import { onPort } from "./port.ts";
import { type Account, postgresAccount, seenFrom } from "./postgres-account.ts";
import { type PostgresBinaries, postgresBinaries } from "./postgres-binaries.ts";
import { initialise } from "./postgres-init.ts";
import { adoptStaleLock, afterLeftovers } from "./postgres-lock.ts";

/**
 * A Postgres of our own on loopback, with one database, `playhead`, that anyone on this machine may
 * use.
 *
 * The first start on a directory creates the cluster; every later one finds the data there, after
 * `kill` as well as after `stop`.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const { settings = {} } = options;
  const parent = dirname(resolve(options.dir));
  mkdirSync(parent, { recursive: true });
  const dir = join(realpathSync(parent), basename(resolve(options.dir)));
  const lock = join(dir, "postmaster.pid");
  const account = postgresAccount();
  const binaries = postgresBinaries(account);

  if (!existsSync(join(dir, "PG_VERSION"))) {
    await initialise({ dir, binaries, account, durable: settings.fsync !== "off" });
  }
  await untilVacant("Postgres", dir, lock);
  adoptStaleLock(lock);

  return await onPort(options.port, async (port) => {
    const child = await afterLeftovers(() => launch({ dir, lock, port, binaries, account, settings }));
    try {
      await createDatabase(port);
    } catch (error) {
      await child.stop();
      throw error;
    }
    return { ...child, port, url: `postgres://postgres@127.0.0.1:${port}/${DATABASE}` };
  });
}

const DATABASE = "playhead";

function launch(server: {
  dir: string;
  lock: string;
  port: number;
  binaries: PostgresBinaries;
  account: Account;
  settings: Record<string, string>;
}): Promise<Child> {
  const { dir, lock, port, binaries, account } = server;
  const settings = { ...server.settings, listen_addresses: "127.0.0.1", unix_socket_directories: "" };
  return startChild({
    name: `Postgres on port ${port}`,
    command: binaries.postgres,
    args: [
      ...["-D", seenFrom(account, dir), "-p", String(port)],
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    spawnAs: { cwd: dir, ...account },
    stopSignal: "SIGINT",
    // The lock file is this server's own word: the port alone could be somebody else's Postgres.
    ready: ({ pid }) => pidIn(lock) === pid && /^ready\s*$/m.test(readFileSync(lock, "utf8")),
  });
}

/** Every start looks, because a crash may have come between creating the cluster and the database. */
async function createDatabase(port: number): Promise<void> {
  const sql = postgres(`postgres://postgres@127.0.0.1:${port}/postgres`, { max: 1, onnotice: () => {} });
  try {
    const found = await sql`SELECT 1 FROM pg_database WHERE datname = ${DATABASE}`;
    if (found.length === 0) await sql`CREATE DATABASE ${sql(DATABASE)}`;
  } finally {
    await sql.end();
  }
}

export type PostgresOptions = {
  dir: string;
  /** None, or 0, chooses a free one. */
  port?: number;
  /** Server settings, such as `fsync: "off"` for tests. */
  settings?: Record<string, string>;
};

export type LocalPostgres = Child & { url: string; port: number };
