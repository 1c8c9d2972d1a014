import type { UserId } from "../../db/contract/ids.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { createApp } from "../../edge/app.ts";
import { edgeDeps } from "../../edge/build.ts";
import type { EdgeDeps } from "../../edge/deps.ts";
import { edgeConfig } from "../../edge/env.ts";
import { publicFiles } from "../../edge/files.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { historyIndexOn } from "../../ingest/views/history-index.ts";
import { DOOR_TOKEN, openDoor } from "./door.ts";
import { startFakeIngest } from "./fake-ingest.ts";
import { startTestRedis } from "./redis.ts";
import { type TokenOptions, tokenFor } from "./tokens.ts";
import { type Warming, warmUser } from "./warm.ts";

export const SECRET = "a secret that only tests know";

/** The edge on a real Redis behind the real door, with a real HTTP server for an ingest. */
export async function createEdgeWorld({ model = "auto" as ModelName | "auto" } = {}) {
  const server = await startTestRedis({ appendfsync: "no" });
  const [door, ingest] = await Promise.all([openDoor(server), startFakeIngest()]);
  const redis = connectRedis(server.url);
  const env = {
    UPSTASH_REDIS_REST_URL: door.url,
    UPSTASH_REDIS_REST_TOKEN: DOOR_TOKEN,
    INGEST_URL: ingest.url,
    AUTH_SECRET: SECRET,
    CORS_ORIGINS: "https://app.example.com",
    HISTORY_INDEX: model,
    // Tests count round trips, and this is one that nobody waits for.
    RATE_LIMIT_PER_MINUTE: "0",
  };
  const index = historyIndexOn(redis, model, createLog("silent"));
  const logged: string[] = [];
  const real = edgeDeps(edgeConfig(env), publicFiles);
  const deps: EdgeDeps = { ...real, log: (...line) => void logged.push(JSON.stringify(line)) };

  return {
    ...{ server, door, ingest, redis, env, deps, logged, index },

    /** Asks an edge as somebody; `replaced` are its dependencies that this question wants otherwise. */
    async ask(path: string, { as = "alice", token = {}, replaced = {}, ...init }: Asking = {}) {
      const headers = { authorization: `Bearer ${await tokenFor(SECRET, as, token)}`, ...init.headers };
      return await createApp({ ...deps, ...replaced }).request(path, { ...init, headers });
    },

    /** Puts rows where a refill would, so that the user is warm; `floor`: older ones are in Postgres alone. */
    async warm(user: string, rows: HistoryRow[], its: Warming = {}) {
      await warmUser({ redis, index }, user as UserId, rows, its);
    },

    async stop() {
      redis.disconnect();
      await door.stop();
      await Promise.all([server.stop(), ingest.stop()]);
    },
  };
}

export type EdgeWorld = Awaited<ReturnType<typeof createEdgeWorld>>;
type Asking = Omit<RequestInit, "headers"> & {
  headers?: Record<string, string>;
  as?: string;
  token?: TokenOptions;
  replaced?: Partial<EdgeDeps>;
};
