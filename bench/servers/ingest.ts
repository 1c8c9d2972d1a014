import { type Running, startProcess } from "./process.ts";
import { SECRET } from "./token.ts";
import { BEYOND_LIMITS } from "./unlimited.ts";
import type { World } from "./world.ts";

/** Ingest as it is deployed, with its defaults, but for the limit of a user's requests. */
export async function startIngest({ postgresUrl, redisUrl }: World): Promise<Running> {
  return await startProcess("ingest/main.ts", {
    INGEST_PORT: "0",
    DATABASE_URL: postgresUrl,
    REDIS_URL: redisUrl,
    AUTH_SECRET: SECRET,
    ...BEYOND_LIMITS,
  });
}
