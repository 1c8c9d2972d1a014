import type { Redis } from "ioredis";
import { catalogueGeneration } from "../../db/redis/keys.ts";

/**
 * Says that the catalogue is another, after a change of it is committed: whatever was worked out by the one before is
 * not believed any more. To say so again is harmless. It throws while Redis is away.
 */
export function catalogueCounter(redis: Redis): () => Promise<void> {
  return async function catalogueMoved() {
    await redis.incr(catalogueGeneration);
  };
}
