import { Redis } from "ioredis";
import { edgeAclRules } from "../../db/redis/acl.ts";
import { type Door, startDoor } from "../../ingest/redis-rest/door.ts";
import type { TestRedis } from "./redis.ts";

export const DOOR_TOKEN = "the-token-of-the-door";

/** The door as an edge gets it: behind it stands the restricted user, so whatever passes is what its ACL allows. */
export async function openDoor(redis: TestRedis): Promise<Door> {
  await letEdgeIn(redis);
  const url = new URL(redis.url);
  url.username = "edge";
  url.password = "secret-of-the-edge";
  return await startDoor({ redisUrl: url.href, token: DOOR_TOKEN });
}

/** A restarted Redis has forgotten its users. */
export async function letEdgeIn(redis: TestRedis): Promise<void> {
  const admin = new Redis(redis.url);
  await admin.call("ACL", "SETUSER", "edge", ...edgeAclRules("secret-of-the-edge", { search: redis.search }));
  admin.disconnect();
}
