import { type Apt, thisApt } from "./apt.ts";
import { findRedis, type RedisProgram } from "./redis-find.ts";

/**
 * Finds a Redis server, or installs Debian's where that is allowed without asking (as root, or with
 * a sudo that wants no password), or throws an error that names the one command to run.
 */
export async function ensureRedis(machine: Machine = thisMachine): Promise<RedisProgram> {
  const found = machine.find();
  if (found !== undefined) return found;

  const apt = machine.aptPrefix();
  if (apt === undefined) throw new RedisMissing();
  return installRedis(machine, apt);
}

/**
 * Installs the server and, where the distribution has it, the search module, saying so on stderr.
 *
 * RUNLEVEL=1 keeps Debian's package from starting a Redis of its own on port 6379, except where
 * systemd runs: there it may start, on loopback, and nothing here uses it.
 */
export function installRedis(machine: Machine, apt: readonly string[]): RedisProgram {
  machine.say("No redis-server here: installing Debian's redis-server and redis-redisearch with apt-get.");
  const env = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"];
  const install = [...apt, ...env, "apt-get", "install", "-y", "--no-install-recommends"];
  try {
    machine.run([...apt, ...env, "apt-get", "update"]);
  } catch (cause) {
    machine.say(`apt-get update failed (${messageOf(cause)}); trying with the lists that are there.`);
  }
  try {
    machine.run([...install, "redis-server", "redis-redisearch"]);
  } catch (first) {
    machine.say(`That failed (${messageOf(first)}); trying redis-server alone, without search.`);
    try {
      machine.run([...install, "redis-server"]);
    } catch (cause) {
      throw new RedisMissing({ cause });
    }
  }
  const program = machine.find();
  if (program === undefined) throw new RedisMissing();
  return program;
}

/** The one message for a machine without Redis. */
export class RedisMissing extends Error {
  override name = "RedisMissing";

  constructor(options?: ErrorOptions) {
    super(
      [
        "Playhead needs a Redis server and found none. One command is enough:",
        "  Debian, Ubuntu:  sudo apt-get install -y redis-server redis-redisearch",
        "  macOS:           brew install redis",
        "  Docker:          docker run -d -p 6379:6379 redis:8",
        "                   and then set REDIS_URL=redis://127.0.0.1:6379",
      ].join("\n"),
      options,
    );
  }
}

const thisMachine: Machine = { find: () => findRedis(), ...thisApt };

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What installing asks of the machine, so that tests can be any machine. */
export type Machine = Apt & { find(): RedisProgram | undefined };
