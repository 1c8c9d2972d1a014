import { createHash } from "node:crypto";
import { Redis, ReplyError } from "ioredis";
import type { Script } from "../db/redis/script.ts";
import { spanned } from "./observe/ambient.ts";

/**
 * A connection that fails a command within seconds while Redis is away, never sends one twice, and comes back
 * by itself.
 *
 * @param options.together whether commands of the same moment are sent in one piece.
 */
export function connectRedis(url: string, { timeoutMs = 5_000, together = false } = {}): Redis {
  const redis = new Redis(url, {
    connectTimeout: 2_000,
    commandTimeout: timeoutMs,
    enableAutoPipelining: together,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 50, 1_000),
  });
  // Every command reports its own failure; a connection that is being retried is not another one.
  redis.on("error", () => {});
  return redis;
}

export type ScriptCall = { keys: readonly string[]; args: readonly (string | number)[] };

/** Runs a script by its digest, or by its source when Redis does not know it (any more). */
export async function runScript(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: ScriptCall["args"],
) {
  const [outcome] = await runScripts(redis, script, [{ keys, args }]);
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

/**
 * Runs a script many times in one round trip. A call that Redis refuses answers with its error, in its place.
 *
 * @throws when the connection failed: nothing is known of any call then.
 */
export async function runScripts(
  redis: Redis,
  script: Script,
  calls: readonly ScriptCall[],
): Promise<unknown[]> {
  const name = script.readOnly ? "read views" : "run script";
  const run = () => runAll(redis, script, calls);
  return await spanned(script.name ?? name, run, { "db.system.name": "redis", calls: calls.length });
}

async function runAll(redis: Redis, script: Script, calls: readonly ScriptCall[]): Promise<unknown[]> {
  const digest = digestOf(script);
  const outcomes = await pipelined(redis, script.readOnly ? "EVALSHA_RO" : "EVALSHA", digest, calls);
  const unknown = calls.flatMap((_, index) => (isNoScript(outcomes[index]) ? [index] : []));
  if (unknown.length === 0) return outcomes;

  const again = unknown.flatMap((index) => calls[index] ?? []);
  const retried = await pipelined(redis, script.readOnly ? "EVAL_RO" : "EVAL", script.source, again);
  unknown.forEach((index, n) => {
    outcomes[index] = retried[n];
  });
  return outcomes;
}

async function pipelined(
  redis: Redis,
  command: string,
  script: string,
  calls: readonly ScriptCall[],
): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  for (const { keys, args } of calls) pipeline.call(command, script, keys.length, ...keys, ...args);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error && !(error instanceof ReplyError)) throw error;
    return error ?? reply;
  });
}

function isNoScript(outcome: unknown): boolean {
  return outcome instanceof Error && outcome.message.startsWith("NOSCRIPT");
}

const digests = new WeakMap<Script, string>();

function digestOf(script: Script): string {
  const known = digests.get(script);
  if (known !== undefined) return known;
  const digest = createHash("sha1").update(script.source).digest("hex");
  digests.set(script, digest);
  return digest;
}
