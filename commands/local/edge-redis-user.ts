import { createHash } from "node:crypto";
import { ReplyError } from "ioredis";
import { edgeAclRules } from "../../db/redis/acl.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { messageOf } from "./run.ts";

/**
 * Makes the restricted user that the edge's door connects as, and keeps it there: a Redis forgets it
 * when it restarts, so it is made again at every connection until the signal.
 *
 * @returns the URL for the door: of that user, or, where this Redis does not permit users, the plain one.
 */
export async function edgeRedisUser(options: {
  redisUrl: string;
  password: string;
  signal: AbortSignal;
  warn: (message: string) => void;
}): Promise<string> {
  const { redisUrl, password, signal, warn } = options;
  signal.throwIfAborted();
  const redis = connectRedis(redisUrl);
  signal.addEventListener("abort", () => redis.disconnect());
  // A name of its own per data directory: two of them on one Redis must not change each other's password.
  const user = `edge-${createHash("sha256").update(password).digest("hex").slice(0, 8)}`;
  const setUser = (search: boolean) =>
    redis.call("ACL", "SETUSER", user, ...edgeAclRules(password, { search }));
  const make = () => setUser(true).catch(() => setUser(false));

  try {
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw new Error(`REDIS_URL: Redis at ${new URL(redisUrl).host} does not answer: ${messageOf(error)}`);
  }
  try {
    await make();
  } catch (error) {
    redis.disconnect();
    if (!(error instanceof ReplyError)) throw error;
    warn(`this Redis permits no user of its own for the edge (${messageOf(error)}): its door has all rights`);
    return redisUrl;
  }
  redis.on("ready", () => void make().catch(() => {}));

  const url = new URL(redisUrl);
  url.username = user;
  url.password = password;
  return url.href;
}
