import { type Running, startProcess } from "./process.ts";
import { SECRET } from "./token.ts";
import type { World } from "./world.ts";

/** Ingest as it is deployed, with its defaults. */
export async function startIngest({ postgresUrl, redisUrl }: World): Promise<Running> {
  return await startProcess("ingest/main.ts", {
    INGEST_PORT: "0",
    DATABASE_URL: postgresUrl,
    REDIS_URL: redisUrl,
    AUTH_SECRET: SECRET,
  });
}
