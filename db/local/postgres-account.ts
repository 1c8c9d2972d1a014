/**
 * Who the server runs as. Postgres refuses to run as root, so root lends it to `nobody`, which every
 * Unix has; anybody else runs it under their own name.
 */
export function postgresAccount(): Account {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

/**
 * The name by which a server working in `dir` should call that directory.
 *
 * `nobody` may not be allowed to walk to it, as when the checkout lies in root's home. A process that
 * was put there needs no way there: on Linux it calls the place /proc/self/cwd.
 */
export function seenFrom(account: Account, dir: string): string {
  return account.uid !== undefined && process.platform === "linux" ? "/proc/self/cwd" : dir;
}

const NOBODY = 65534;

/** Empty means: as ourselves. */
export type Account = { uid?: number; gid?: number };
