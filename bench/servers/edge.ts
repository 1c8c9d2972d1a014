import { edgeRedisUser } from "../../commands/local/edge-redis-user.ts";
import { freePort } from "../../db/local/port.ts";
import { type Running, startProcess } from "./process.ts";
import { SECRET } from "./token.ts";
import { BEYOND_LIMITS } from "./unlimited.ts";
import type { World } from "./world.ts";

const DOOR_TOKEN = "the-token-of-the-door";

/** The door, as the restricted user, and an edge behind it: two processes. */
export async function startEdge(world: World, ingest: Running): Promise<Edge> {
  const over = new AbortController();
  const door = await startProcess("ingest/redis-rest/main.ts", {
    REDIS_REST_PORT: "0",
    REDIS_REST_TOKEN: DOOR_TOKEN,
    REDIS_URL: await edgeRedisUser({
      redisUrl: world.redisUrl,
      password: "the-password-of-the-edge",
      signal: over.signal,
      warn: console.error,
    }),
  });
  const stopDoor = async () => {
    over.abort();
    await door.stop();
  };
  try {
    const barePort = String(await freePort());
    const edge = await startProcess("bench/edge/beside.ts", {
      UPSTASH_REDIS_REST_URL: door.url,
      UPSTASH_REDIS_REST_TOKEN: DOOR_TOKEN,
      INGEST_URL: ingest.url,
      AUTH_SECRET: SECRET,
      ...BEYOND_LIMITS,
      EDGE_PORT: String(await freePort()),
      BARE_PORT: barePort,
    });
    return {
      url: edge.url,
      bareUrl: `http://127.0.0.1:${barePort}`,
      stop: async () => {
        await edge.stop();
        await stopDoor();
      },
    };
  } catch (error) {
    await stopDoor();
    throw error;
  }
}

export type Edge = {
  url: string;
  /** The comparison, in the same process. */
  bareUrl: string;
  stop(): Promise<void>;
};
