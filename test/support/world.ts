import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { HistoryItem } from "../../db/contract/views.ts";
import { connect } from "../../db/postgres/connect.ts";
import { eventStream } from "../../db/redis/keys.ts";
import { createApp } from "../../edge/app.ts";
import { edgeDeps } from "../../edge/build.ts";
import type { EdgeDeps } from "../../edge/deps.ts";
import { edgeConfig } from "../../edge/env.ts";
import { publicFiles } from "../../edge/files.ts";
import { tracesOfProcess } from "../../edge/watching.ts";
import { ingestConfig } from "../../ingest/config.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { createService, type Service } from "../../ingest/service.ts";
import { DOOR_TOKEN, letEdgeIn, openDoor } from "./door.ts";
import { createTestDatabase } from "./postgres.ts";
import { startTestRedis } from "./redis.ts";
import { type TokenOptions, tokenFor } from "./tokens.ts";
import { until } from "./until.ts";

export const SECRET = "a secret that only tests know";

/** Tests ask more often than any user; those of the limits say so. */
const UNLIMITED = { RATE_LIMIT_PER_MINUTE: "0" };

/** Both sides of Playhead on real stores, in this process: a player writes and reads at the edge. */
export async function createWorld(settings: Record<string, string> = {}) {
  const [database, firstServer] = await Promise.all([createTestDatabase(), startTestRedis()]);
  let server = firstServer;
  const door = await openDoor(server);
  const redis = connectRedis(server.url);
  const { db, close } = connect(database.url, { max: 3 });
  const services: Service[] = [];
  const logged: string[] = [];

  /** Another ingest. @returns its address. */
  async function startIngest(own: Record<string, string> = {}): Promise<string> {
    const env = { DATABASE_URL: database.url, REDIS_URL: server.url, AUTH_SECRET: SECRET, INGEST_PORT: "0" };
    const config = ingestConfig({
      LOG_LEVEL: "silent",
      RECLAIM_AFTER: "500",
      ...UNLIMITED,
      ...env,
      ...settings,
      ...own,
    });
    const log = createLog(config.logLevel, { write: (line) => void logged.push(line) });
    const service = createService(config, log);
    services.push(service);
    return `http://127.0.0.1:${(await service.start()).port}`;
  }

  const ingestUrl = await startIngest();
  const edgeLogged: string[] = [];
  const atEdge = edgeConfig({
    UPSTASH_REDIS_REST_URL: door.url,
    UPSTASH_REDIS_REST_TOKEN: DOOR_TOKEN,
    INGEST_URL: ingestUrl,
    AUTH_SECRET: SECRET,
    ...UNLIMITED,
    ...settings,
  });
  const traces = tracesOfProcess(atEdge.traces);
  const edgeLog: EdgeDeps["log"] = (...line) => void edgeLogged.push(JSON.stringify(line));
  const watched = { log: edgeLog, watching: traces.watching };
  const edge = createAdaptorServer({
    fetch: createApp({ ...edgeDeps(atEdge, publicFiles), ...watched }).fetch,
  });
  await new Promise<void>((resolve) => edge.listen(0, "127.0.0.1", resolve));
  const edgeUrl = `http://127.0.0.1:${(edge.address() as AddressInfo).port}`;

  async function ask(
    path: string,
    { as = "alice", token = {}, at = edgeUrl, ...init }: Asking = {},
  ): Promise<Response> {
    const authorization = `Bearer ${await tokenFor(SECRET, as, token)}`;
    return await fetch(at + path, { ...init, headers: { authorization, ...init.headers } });
  }

  async function send(as: string, body: unknown, more: Asking = {}): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const path = `/users/${as}/playlists/watchhistory`;
    return await ask(path, { as, method: "POST", headers, body: JSON.stringify(body), ...more });
  }

  return {
    ...{ database, door, redis, db, services, ingestUrl, edgeUrl },
    redisUrl: server.url,
    /** What the ingests log, a line each; nothing unless LOG_LEVEL says otherwise. */
    logged,
    /** What the edge logs. */
    edgeLogged,
    ...{ startIngest, ask, send },

    killRedis: async () => await server.kill(),
    /** Redis hangs: it is there, and does not answer. */
    pauseRedis: () => process.kill(server.pid, "SIGSTOP"),
    resumeRedis: () => process.kill(server.pid, "SIGCONT"),

    /** The same Redis again: same port, same data; it has forgotten its users. */
    async restartRedis(): Promise<void> {
      server = await server.restart();
      await letEdgeIn(server);
    },

    /** Everything that was accepted is in Postgres and in the views. */
    async drained(): Promise<void> {
      await until(async () => (await redis.xlen(eventStream)) === 0, { what: "the stream to be drained" });
    },

    /** Sends, expects it to be accepted, and waits until it is visible. */
    async watched(as: string, ...events: Record<string, unknown>[]): Promise<void> {
      const response = await send(as, events.length === 1 ? events[0] : { events });
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
      await this.drained();
    },

    async history(as: string, query = ""): Promise<HistoryItem[]> {
      const response = await ask(`/users/${as}/watchhistory${query}`, { as });
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
      return (await response.json()) as HistoryItem[];
    },

    async stop(): Promise<void> {
      edge.close();
      await traces.stop();
      await Promise.all(services.map((service) => service.stop()));
      await door.stop();
      redis.disconnect();
      await close();
      await server.stop();
      await database.drop();
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;

type Asking = Omit<RequestInit, "headers"> & {
  headers?: Record<string, string>;
  as?: string;
  token?: TokenOptions;
  /** Whom to ask; the edge. */
  at?: string;
};
