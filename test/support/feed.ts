import { tokenVerifier } from "../../db/contract/access.ts";
import type { Change, Changes } from "../../db/contract/changes.ts";
import type { HistoryItem } from "../../db/contract/views.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { createApp } from "../../edge/app.ts";
import { edgeDeps } from "../../edge/build.ts";
import { edgeConfig } from "../../edge/env.ts";
import { publicFiles } from "../../edge/files.ts";
import type { IngestDeps } from "../../ingest/deps.ts";
import { createHttp } from "../../ingest/http.ts";
import { createMetrics } from "../../ingest/observe/metrics.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import { historyReader } from "../../ingest/views/read.ts";
import { DOOR_TOKEN, openDoor } from "./door.ts";
import type { Ring } from "./ring.ts";
import { tokenFor } from "./tokens.ts";

const SECRET = "a secret that only tests know";

/**
 * The edge and ingest over the stores of a ring, to be asked for what they read: the edge by its door, ingest in this
 * process. `meanwhile` runs once before ingest's next look at Postgres.
 */
export async function readersOf(ring: Ring) {
  const door = await openDoor(ring.server);
  const verifyToken = tokenVerifier({ key: { secret: new TextEncoder().encode(SECRET) }, now: Date.now });
  let meanwhile: (() => Promise<void>) | undefined;

  async function beforePostgres(): Promise<void> {
    const now = meanwhile;
    meanwhile = undefined;
    await now?.();
  }
  const execute: Database["execute"] = ((query: Parameters<Database["execute"]>[0]) =>
    beforePostgres().then(() => ring.db.execute(query))) as unknown as Database["execute"];
  const db = Object.assign(Object.create(ring.db) as Database, { execute });
  const contents = contentLookup(ring.db, 0);
  const history = historyReader({ ...ring.viewDeps, db, contents, refill: ring.refill });
  const { log } = ring;
  const http = createHttp({
    verifyToken,
    history,
    log,
    newId: () => "id",
    metrics: createMetrics(),
  } as unknown as IngestDeps);

  const env = {
    ...{ UPSTASH_REDIS_REST_URL: door.url, UPSTASH_REDIS_REST_TOKEN: DOOR_TOKEN },
    ...{ INGEST_URL: "http://ingest.invalid", AUTH_SECRET: SECRET },
  };
  let asked = 0;
  const app = createApp({
    ...edgeDeps(edgeConfig(env), publicFiles),
    verifyToken,
    log: () => {},
    ingest: async ({ method, path, headers }) => {
      asked++;
      const response = await http.request(path, { method, headers });
      return { status: response.status, headers: response.headers, body: await response.arrayBuffer() };
    },
  });

  async function get(user: string, path: string): Promise<Response> {
    const authorization = `Bearer ${await tokenFor(SECRET, user)}`;
    const response = await app.request(`/users/${user}${path}`, { headers: { authorization } });
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  return {
    get,

    /** How often the edge asked ingest. */
    asked: () => asked,

    doBeforePostgres(work: () => Promise<void>): void {
      meanwhile = work;
    },

    /** All pages of the history. */
    async fullList(user: string): Promise<HistoryItem[]> {
      const items: HistoryItem[] = [];
      let next: string | undefined = "/watchhistory?limit=2";
      while (next !== undefined) {
        const page = await get(user, next);
        items.push(...((await page.json()) as HistoryItem[]));
        next = /^<\/users\/[^/]+([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      }
      return items;
    },

    stop: () => door.stop(),
  };
}

export type Readers = Awaited<ReturnType<typeof readersOf>>;

/** A client that follows the feed of a user from an empty list. */
export function feedClient(ask: (path: string) => Promise<Changes>) {
  const items = new Map<string, HistoryItem>();
  let since = "";

  async function poll(limit: number): Promise<Changes> {
    const answer = await ask(`/changes?limit=${limit}&since=${encodeURIComponent(since)}`);
    if (answer.changes.length > limit) throw new Error(`${answer.changes.length} changes of ${limit}`);
    if (answer.reset) items.clear();
    for (const change of answer.changes) apply(change);
    since = answer.cursor;
    return answer;
  }

  function apply(change: Change): void {
    if ("deleted" in change) items.delete(change.content_id);
    else items.set(change.content_id, change);
  }

  return {
    poll,

    /** @returns what was told on the way. */
    async catchUp(limit: number): Promise<Changes[]> {
      const answers: Changes[] = [];
      do {
        if (answers.length > 300) throw new Error("the feed never ends");
        answers.push(await poll(limit));
      } while (answers.at(-1)?.has_more);
      return answers;
    },

    /** What it has, in the order of a history. */
    list(): HistoryItem[] {
      const timeOf = (item: HistoryItem) => Date.parse(item.last_watched_at);
      return [...items.values()].sort(
        (a, b) => timeOf(b) - timeOf(a) || (a.content_id < b.content_id ? 1 : -1),
      );
    },

    cursor: () => since,
  };
}
