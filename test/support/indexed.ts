import type { Redis } from "ioredis";
import type { Content } from "../../db/contract/contents.ts";
import type { Dimension, HistoryFilter } from "../../db/contract/dimensions.ts";
import type { ContentId, UserId } from "../../db/contract/ids.ts";
import type { Cursor } from "../../db/contract/pages.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import { facetsArguments, searchArguments } from "../../db/redis/index/query.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundFacets, foundNarrowed } from "../../db/redis/replies.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis, runScript } from "../../ingest/redis.ts";
import { evict } from "../../ingest/views/evict.ts";
import { type HistoryIndex, historyIndexOn } from "../../ingest/views/history-index.ts";
import { project } from "../../ingest/views/project.ts";
import { startTestRedis } from "./redis.ts";
import { filterWith } from "./rows.ts";
import { type Warming, warmUser } from "./warm.ts";

/** One model of the index on a Redis of its own, to be written and asked by hand. */
export async function createIndexed(model: ModelName) {
  const server = await startTestRedis({ appendfsync: "no" });
  const redis = connectRedis(server.url);
  const index = historyIndexOn(redis, model, createLog("silent"));

  return {
    ...{ model, server, redis, index },
    ...askedOf({ redis, index }),

    async warm(user: string, rows: readonly HistoryRow[], its: Warming = {}): Promise<void> {
      await warmUser({ redis, index }, user as UserId, rows, its);
    },

    /** Projects rows as a turn would, when the catalogue says this. */
    async project(
      rows: readonly HistoryRow[],
      { catalogue = [], cleared = {}, historyLimit = 2_000 }: Projecting = {},
    ): Promise<void> {
      const contents = async () => new Map(catalogue.map((content) => [content.content_id, content]));
      const clears = new Map(Object.entries(cleared) as [UserId, number][]);
      await project({ redis, historyLimit, index, contents }, { rows, cleared: clears });
    },

    evict: (user: string) => evict(redis, user as UserId),

    /** Redis as it is after a FLUSHALL, and an ingest that has just started. */
    async empty(): Promise<void> {
      await redis.flushall();
      index.lost();
    },

    async stop(): Promise<void> {
      redis.disconnect();
      await server.stop();
    },
  };
}

/** The questions that the index answers, as whoever has this index asks them. */
export function askedOf({ redis, index }: { redis: Redis; index: HistoryIndex }) {
  async function search(user: string, narrowing: Partial<HistoryFilter> | null, its: Page = {}) {
    const { model, scripts } = await index.current();
    const page = {
      limit: its.limit ?? 200,
      after: its.after ?? null,
      filter: narrowing && filterWith(narrowing),
    };
    const args = searchArguments(model, user as UserId, page, its.known);
    return foundNarrowed(await runScript(redis, scripts.search, historyKeys(user as UserId), args));
  }

  async function facets(
    user: string,
    by: Dimension,
    narrowing: Partial<HistoryFilter> | null = null,
    known = "",
  ) {
    const { model, scripts } = await index.current();
    const args = facetsArguments(
      model,
      user as UserId,
      { by, filter: narrowing && filterWith(narrowing) },
      known,
    );
    return foundFacets(await runScript(redis, scripts.facets, historyKeys(user as UserId), args));
  }

  /** The ids of a narrowed list, or the state of a view that has none to say. */
  async function found(user: string, narrowing: Partial<HistoryFilter> | null): Promise<string[] | string> {
    const seen = await search(user, narrowing);
    return seen.state === "page" ? seen.found.map(({ progress }) => progress.content_id) : seen.state;
  }

  return { search, facets, found };
}

/** All keys that models keep records in, with their values. */
export async function recordsIn(redis: Redis): Promise<Record<string, unknown>> {
  const records: Record<string, unknown> = {};
  for (const key of (await redis.keys("wh:*")).sort()) {
    if (!/^wh:(record|term|json):/.test(key)) continue;
    const type = await redis.type(key);
    if (type === "hash") records[key] = await redis.hgetall(key);
    else if (type === "set") records[key] = (await redis.smembers(key)).sort();
    else records[key] = await redis.get(key);
  }
  return records;
}

/** The items of which anything is left in the records of a user, in whichever model. */
export async function recordedOf(redis: Redis, user: string): Promise<string[]> {
  const ids = Object.entries(await recordsIn(redis)).flatMap(([key, value]) => {
    if (!key.includes(`{${user}}`)) return [];
    if (key.startsWith("wh:record:")) return [key.slice(key.indexOf("}:") + 2)];
    if (typeof value === "string") return (JSON.parse(value) as [id: string][]).map(([id]) => id);
    return Array.isArray(value) ? (value as string[]) : Object.keys(value as object);
  });
  return [...new Set(ids)].sort();
}

/** How often Redis ran each command since `CONFIG RESETSTAT`, in scripts as well. */
export async function commandCounts(redis: Redis): Promise<Map<string, number>> {
  const stats = (await redis.info("commandstats")).matchAll(/cmdstat_(\S+?):calls=(\d+)/g);
  return new Map([...stats].map(([, name = "", calls]) => [name.toLowerCase(), Number(calls)]));
}

/** Ids as the contract brands them. */
export function contentIds(...ids: string[]): ContentId[] {
  return ids as ContentId[];
}

type Page = { limit?: number; after?: Cursor | null; known?: string };
type Projecting = {
  catalogue?: readonly Content[];
  cleared?: Record<string, number>;
  historyLimit?: number;
};
export type Indexed = Awaited<ReturnType<typeof createIndexed>>;
