import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { edgeRedisUser } from "../../commands/local/edge-redis-user.ts";
import { freePort } from "../../db/local/port.ts";
import { startPostgres } from "../../db/local/postgres.ts";
import { startRedis } from "../../db/local/redis.ts";
import { migrate } from "../../db/postgres/migrate.ts";
import { programOf, type Server, storeOf } from "./server.ts";

/**
 * The whole of it on free ports of this machine, every part a real process: Postgres, Redis (appendfsync always),
 * the door, any number of ingests and the Node edge. Each can be killed and started again where it was.
 *
 * The edge forwards to the first ingest; the others only drain.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { ingests: count = 1, env = {} } = options;
  const dir = mkdtempSync(join(tmpdir(), "playhead-stack-"));
  const started: Server[] = [];
  const over = new AbortController();
  const keep = <T extends Server>(server: T): T => {
    started.push(server);
    return server;
  };
  async function stop(): Promise<void> {
    over.abort();
    for (const server of started.toReversed()) await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }

  try {
    const secret = random();
    const token = random();
    // What drives it asks more often than any user.
    const shared = { PATH: process.env.PATH, AUTH_SECRET: secret, RATE_LIMIT_PER_MINUTE: "0", ...env };
    const program = async (name: string, file: string, portName: string, own: Env) => {
      const port = await freePort();
      return keep(
        await programOf({ name, file, port, env: { ...shared, ...own, [portName]: String(port) }, dir }),
      );
    };

    const postgres = keep(
      await storeOf("Postgres", (port) => startPostgres({ dir: join(dir, "postgres"), port })),
    );
    await migrate(postgres.url);
    const redis = keep(await storeOf("Redis", (port) => startRedis({ dir: join(dir, "redis"), port })));
    const redisUrl = redis.url;
    const edgeUser = { redisUrl, password: random(), signal: over.signal, warn: console.error };
    const door = await program("the door", "ingest/redis-rest/main.ts", "REDIS_REST_PORT", {
      REDIS_URL: await edgeRedisUser(edgeUser),
      REDIS_REST_TOKEN: token,
    });
    const ingests = [];
    for (let n = 1; n <= count; n++) {
      const stores = { DATABASE_URL: postgres.url, REDIS_URL: redisUrl, LOG_LEVEL: "warn" };
      ingests.push(await program(`ingest ${n}`, "ingest/main.ts", "INGEST_PORT", stores));
    }
    const edge = await program("the edge", "edge/node.ts", "EDGE_PORT", {
      UPSTASH_REDIS_REST_URL: door.url,
      UPSTASH_REDIS_REST_TOKEN: token,
      INGEST_URL: ingests[0]?.url,
    });
    return { secret, postgres, redis, door, ingests, edge, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function random(): string {
  return randomBytes(24).toString("base64url");
}

type Env = Record<string, string | undefined>;

export type StackOptions = {
  ingests?: number;
  /** Settings of ingest and of the edge. */
  env?: Env;
};

export type Stack = {
  /** Of the tokens. */
  secret: string;
  postgres: Server;
  redis: Server;
  door: Server;
  ingests: Server[];
  edge: Server;
  /** Ends everything, whatever state it is in, and removes its data. May be called again. */
  stop(): Promise<void>;
};
