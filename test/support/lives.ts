import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import { column } from "../../db/postgres/batch.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { eventStream } from "../../db/redis/keys.ts";
import { evict } from "../../ingest/views/evict.ts";
import { partyClient } from "./party-client.ts";
import { until } from "./until.ts";
import { SECRET, type World } from "./world.ts";

const JSON_BODY = { "content-type": "application/json" };

/** Somebody's devices and pages, which know nothing of an erasure. */
export function lifeOf(
  world: Pick<World, "ask" | "redis">,
  user: string,
  places: readonly string[],
  talks?: { party_id: string; urls: readonly string[] },
) {
  let turns = 0;
  const at = () => ({ at: places[turns++ % places.length] ?? "" });

  async function ask(path: string, method = "GET", body?: unknown): Promise<Response> {
    const init = body === undefined ? {} : { headers: JSON_BODY, body: JSON.stringify(body) };
    const response = await world.ask(path, { as: user, method, ...init, ...at() });
    if (response.status >= 500 && response.status !== 503) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response;
  }

  async function session(): Promise<void> {
    const its = { user_id: user, content_id: "film", device_id: "tv", duration_seconds: 600 };
    const started = await ask("/api/v1/sessions", "POST", its);
    if (started.status !== 201) return;
    const { id } = (await started.json()) as { id: string };
    await ask(`/api/v1/sessions/${id}/position`, "PATCH", { position_seconds: 100 + turns });
    if (turns % 2 === 0) await ask(`/api/v1/sessions/${id}`, "DELETE");
  }

  /** Says something among others, and is gone in one way or another. */
  async function talk({ party_id, urls }: NonNullable<typeof talks>): Promise<void> {
    const turn = ++turns;
    const url = urls[turn % urls.length] ?? "";
    const client = await partyClient({ url, secret: SECRET, user, eager: true });
    const say = (event: string, input: object = {}) => client.socket.timeout(2_000).emitWithAck(event, input);
    try {
      await say("join", { party_id });
      await say("chat", { id: `m-${turn}`, text: `said in turn ${turn}` });
      await say("like", { count: 2 });
      if (turn % 3 === 0) await say("leave");
      if (turn % 3 === 1) client.breakLine();
    } catch {
      // It is let in no more, or no further.
    } finally {
      client.close();
    }
  }

  const watch = (content_id: string, playback_time: number) =>
    ask(`/users/${user}/playlists/watchhistory`, "POST", { content_id, playback_time, duration: 600 });

  /** One of everything that leaves something somewhere. */
  const deeds: (() => Promise<unknown>)[] = [
    () => watch("film", 100 + (turns % 300)),
    () => watch("film", 590),
    () => watch("match", 100 + (turns % 300)),
    () => ask(`/users/${user}/watchhistory/match/watched`, "PUT"),
    () => ask(`/users/${user}/watchhistory/match`, "DELETE"),
    () => ask(`/users/${user}/continue-watching/film/dismissed`, "POST"),
    () => ask(`/users/${user}/watchhistory/settings`, "PUT", { paused: turns % 2 === 0 }),
    () => ask(`/profiles/${user}`, "PUT", { name: `${user} ${turns}` }),
    () => ask(`/profiles/${user}/watchlist`, "POST", { content_id: `film-${turns % 3}` }),
    () =>
      ask(`/profiles/${user}/ratings`, "POST", {
        content_id: "film",
        rating: 1 + (turns % 10),
        review: user,
      }),
    session,
    () =>
      ask("/parties", "POST", {
        ...{ title: `Party ${turns}`, content_id: "film", visibility: turns % 2 === 0 ? "public" : "invite" },
        start_time: Date.now() + (turns % 3) * 1_000,
      }),
    ...(talks ? [() => talk(talks)] : []),
  ];
  const looks: (() => Promise<unknown>)[] = [
    ...[
      "watchhistory",
      "watchhistory?sport=cricket",
      "continue-watching",
      "changes",
      "next-up",
      "next-up?kind=sport",
    ].map((path) => () => ask(`/users/${user}/${path}`)),
    ...["", "/watchlist", "/ratings", "/export"].map((path) => () => ask(`/profiles/${user}${path}`)),
  ];

  return {
    deeds,
    looks,
    ask,

    /** Everything once, one after the other. */
    async once(): Promise<void> {
      for (const one of [...deeds, ...looks]) await one();
      await ask(`/users/${user}/watchhistory/settings`, "PUT", { paused: false });
    },

    /** Everything again and again, several at once, until the signal; now and then the views are let go of. */
    async go(signal: AbortSignal): Promise<void> {
      const letGo = () => evict(world.redis, user as UserId);
      const all = [...deeds, ...looks, letGo];
      const lane = async (_: unknown, first: number) => {
        for (let n = first; !signal.aborted; n += LANES + 1) await all[n % all.length]?.();
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    },
  };
}
/** Steps of the lanes are of one more, so that each comes by everything. */
const LANES = 6;

/** Everything is let go of that was in the stream until now, whatever else goes on. */
export async function drainedUpToNow(redis: Redis): Promise<void> {
  const [[newest] = []] = await redis.xrevrange(eventStream, "+", "-", "COUNT", 1);
  const what = "what was in the stream to be drained";
  const left = async () =>
    newest === undefined ? [] : await redis.xrange(eventStream, "-", newest, "COUNT", 1);
  await until(async () => (await left()).length === 0, { timeout: 30_000, what });
}

/** What is left to be done of erasures is done as if they were long ago: nothing of that time can be under way. */
export async function finishedErasures(db: Database): Promise<void> {
  const times = await db.execute(sql`
    UPDATE erased SET erased_at = erased_at - ${LONG_MS} WHERE user_id IS NOT NULL RETURNING user_hash
  `);
  const finished = async () => {
    await db.execute(sql`UPDATE erased SET due_at = 0 WHERE user_id IS NOT NULL AND passes > 0`);
    return (await db.execute(sql`SELECT FROM erased WHERE user_id IS NOT NULL`)).length === 0;
  };
  await until(finished, { timeout: 30_000, what: "all erasures to be finished" });
  const hashes = (times as unknown as { user_hash: string }[]).map(({ user_hash }) => user_hash);
  await db.execute(sql`
    UPDATE erased SET erased_at = erased_at + ${LONG_MS} WHERE user_hash = ANY(${column(hashes, "text")})
  `);
}
const LONG_MS = 60_000;

/** What is counted of contents, and what a look at everything comes to: each measure that is not 0. */
export async function countsOf(db: Database): Promise<{ counted: unknown[]; scanned: unknown[] }> {
  const counted = await db.execute(sql`
    SELECT content_id, measure, count::int FROM content_rollups WHERE count <> 0 ORDER BY content_id, measure
  `);
  const scanned = await db.execute(sql`
    SELECT content_id, measure, count::int FROM (
      SELECT content_id, 'plays' AS measure, count(*) AS count FROM plays WHERE started_at > 0 GROUP BY 1
      UNION ALL SELECT content_id, 'viewers', count(DISTINCT user_id) FROM plays WHERE started_at > 0 GROUP BY 1
      UNION ALL SELECT content_id, 'completions', count(completed_at) FROM plays GROUP BY 1
      UNION ALL SELECT content_id, 'reached:' || reached, count(*) FROM plays WHERE reached IS NOT NULL GROUP BY 1, reached
      UNION ALL SELECT content_id, 'rating:' || rating, count(*) FROM ratings GROUP BY 1, rating
    ) its WHERE count <> 0 ORDER BY content_id COLLATE "C", measure COLLATE "C"
  `);
  const sorted = (rows: Iterable<unknown>) => [...rows].map((row) => JSON.stringify(row)).sort();
  return { counted: sorted(counted), scanned: sorted(scanned) };
}
