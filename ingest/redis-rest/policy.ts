import type { Command } from "./commands.ts";

/**
 * Why a command may not pass, or null when it may.
 *
 * All requests share one connection to Redis. What would change that connection for everybody, hold it up,
 * or administer the server is refused here, whoever asks. Which data a caller may touch is not decided here:
 * that is the business of the Redis user the door connects as.
 */
export function refusal({ name, args }: Command): string | null {
  if (!COMMAND_NAME.test(name)) return "ERR that is not the name of a command";
  if (REFUSED.has(name) || REFUSED_SUBCOMMANDS.get(name)?.has((args[0] ?? "").toUpperCase())) {
    return `ERR '${name.slice(0, 64)}' is not available over HTTP`;
  }
  if ((name === "XREAD" || name === "XREADGROUP") && blocks(args)) {
    return `ERR '${name}' with BLOCK is not available over HTTP`;
  }
  return null;
}

/** Walks the options as Redis does, so that a group or a key that happens to be called `block` or `streams` is just a name. */
function blocks(args: string[]): boolean {
  for (let i = 0; i < args.length; ) {
    const option = args[i]?.toUpperCase();
    if (option === "BLOCK") return true;
    if (option === "STREAMS") return false;
    i += VALUES_OF_OPTION.get(option ?? "") ?? 1;
  }
  return false;
}

const VALUES_OF_OPTION = new Map([
  ["GROUP", 3],
  ["COUNT", 2],
]);

const COMMAND_NAME = /^[A-Z][A-Z0-9._-]*$/;

const REFUSED = new Set(
  [
    // change what the shared connection is, or answer more or less than once
    "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR",
    "SELECT AUTH HELLO CLIENT RESET QUIT READONLY READWRITE ASKING",
    "MULTI EXEC WATCH UNWATCH DISCARD",
    // wait, and everybody else with them
    "BLPOP BRPOP BLMOVE BLMOVEM BRPOPLPUSH BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF",
    // administer the server
    "CONFIG MODULE ACL DEBUG SHUTDOWN CLUSTER REPLICAOF SLAVEOF FAILOVER SENTINEL ROLE SYNC PSYNC REPLCONF",
    "SAVE BGSAVE BGREWRITEAOF LASTSAVE FUNCTION LATENCY SLOWLOG MIGRATE RESTORE-ASKING SWAPDB",
    "PFDEBUG PFSELFTEST FT.CONFIG FT.DEBUG",
    // not a command of Redis: ioredis looks names up in a plain object, takes this one for QUIT, and never
    // connects again after the next loss
    "CONSTRUCTOR",
  ].flatMap((line) => line.split(" ")),
);

const REFUSED_SUBCOMMANDS = new Map([
  ["SCRIPT", new Set(["KILL", "DEBUG"])],
  ["MEMORY", new Set(["DOCTOR", "MALLOC-STATS", "PURGE", "STATS"])],
]);
