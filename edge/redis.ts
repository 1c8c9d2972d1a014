import { Redis } from "@upstash/redis/cloudflare";
import { changesArguments, readChanges } from "../db/redis/change-scripts.ts";
import { readHistory, readItem } from "../db/redis/history-scripts.ts";
import type { IndexModel, ModelName } from "../db/redis/index/model.ts";
import { INDEX_MODELS } from "../db/redis/index/models.ts";
import { continueArguments, facetsArguments, searchArguments } from "../db/redis/index/query.ts";
import {
  backlogKey,
  eventStream,
  historyKeys,
  profileKey,
  ratingsKey,
  sessionKey,
  watchlistKey,
} from "../db/redis/keys.ts";
import { foundProfile, foundRatings, foundWatchlist } from "../db/redis/profile-records.ts";
import { pageArguments, readProfile, readRatings, readWatchlist } from "../db/redis/profile-scripts.ts";
import { type QueryScripts, queryScripts } from "../db/redis/query-scripts.ts";
import { requestCounter } from "../db/redis/rate-limit.ts";
import { foundChanges, foundFacets, foundHistory, foundItem, foundNarrowed } from "../db/redis/replies.ts";
import type { Script } from "../db/redis/script.ts";
import { readSession } from "../db/redis/session-scripts.ts";
import { knownSession } from "../db/redis/sessions.ts";
import { appendEntries } from "../db/redis/stream-scripts.ts";
import type { EdgeRedis } from "./deps.ts";

/** Longer than the door itself waits for Redis. */
const DEADLINE_MS = 1_500;

/**
 * Redis through its HTTP door, as the edge wants it: every operation is one request, sent once and given up at a
 * deadline. Nothing is retried, because a reader has ingest to fall back on, and a lost reply to an append
 * would double it.
 *
 * What comes out of here when it fails never holds the text of a command: the library's own errors do.
 */
export function edgeRedis(options: Options): EdgeRedis {
  const { url, token, model = "auto", deadlineMs = DEADLINE_MS } = options;
  let name: ModelName = model === "auto" ? "redisearch" : model;
  const client = new Redis({
    url,
    token,
    automaticDeserialization: false,
    enableAutoPipelining: false, // a Worker may not share I/O between requests
    enableTelemetry: false,
    readYourWrites: false,
    responseEncoding: false,
    retry: { retries: 0 }, // `retry: false` tries twice
    signal: () => AbortSignal.timeout(deadlineMs), // not as a function, it would become a successful reply
  });

  async function run(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    const [byDigest, bySource] = script.readOnly
      ? [client.evalshaRo, client.evalRo]
      : [client.evalsha, client.eval];
    try {
      return await byDigest(await digestOf(script), keys, args);
    } catch (error) {
      // Only the beginning is Redis's own word; further on stands the command, with whatever a client sent.
      if (error instanceof Error && error.message.startsWith("NOSCRIPT")) {
        return await bySource(script.source, keys, args);
      }
      throw error;
    }
  }

  /** A view that was warmed for another model tells which: it is asked again, once, and every later search knows. */
  async function query<Found extends { state: string; making?: string }>(
    search: (index: ReadIndex) => Promise<Found>,
  ): Promise<Found> {
    const asked = name;
    const found = await search(INDEXES[asked]);
    const making = found.state === "other" ? found.making?.split(":")[0] : undefined;
    if (model !== "auto" || making === undefined || making === asked || !(making in INDEXES)) return found;
    name = making as ModelName;
    return await search(INDEXES[name]);
  }

  return {
    search: safely((user, page, known) =>
      query(async (index) =>
        foundNarrowed(
          await run(index.scripts.search, historyKeys(user), searchArguments(index, user, page, known)),
        ),
      ),
    ),

    facets: safely((user, request, known) =>
      query(async (index) =>
        foundFacets(
          await run(index.scripts.facets, historyKeys(user), facetsArguments(index, user, request, known)),
        ),
      ),
    ),

    continueWatching: safely((user, limit, known) =>
      query(async (index) =>
        foundNarrowed(
          await run(
            index.scripts.continueWatching,
            historyKeys(user),
            continueArguments(index, user, limit, known),
          ),
        ),
      ),
    ),

    readChanges: safely(async (user, request) =>
      foundChanges(await run(readChanges, historyKeys(user), changesArguments(request))),
    ),

    readHistory: safely(async (user, { limit, after }, knownVersion) => {
      const args = [limit, after?.watched_at ?? "", after?.content_id ?? "", knownVersion];
      return foundHistory(await run(readHistory, historyKeys(user), args));
    }),

    readItem: safely(async (user, content) =>
      foundItem(await run(readItem, historyKeys(user), [content]), content),
    ),

    readProfile: safely(async (user, known) =>
      foundProfile(await run(readProfile, [profileKey(user)], [known])),
    ),

    readWatchlist: safely(async (user, page, known) => {
      const [state, order, progress] = historyKeys(user);
      const keys = [watchlistKey(user), state, order, progress];
      return foundWatchlist(await run(readWatchlist, keys, pageArguments(page, known)));
    }),

    readRatings: safely(async (user, page, known) =>
      foundRatings(await run(readRatings, [ratingsKey(user)], pageArguments(page, known))),
    ),

    readSession: safely(async (id) => knownSession(await run(readSession, [sessionKey(id)], []))),

    append: safely(async (entry, limit) => {
      const args = [limit, entry.events.length, JSON.stringify([entry])];
      const [id] = (await run(appendEntries, [eventStream, backlogKey], args)) as [string];
      return id !== "";
    }),

    countRequests: safely(
      requestCounter({
        evalsha: (digest, keys, args) => client.evalsha(digest, keys, args),
        eval: (source, keys, args) => client.eval(source, keys, args),
      }),
    ),

    ping: safely(async () => void (await client.ping())),
  };
}

type Options = { url: string; token: string; model?: ModelName | "auto"; deadlineMs?: number };

type ReadIndex = IndexModel & { scripts: QueryScripts };

const INDEXES: Record<ModelName, ReadIndex> = {
  redisearch: withScripts(INDEX_MODELS.redisearch),
  "sorted-sets": withScripts(INDEX_MODELS["sorted-sets"]),
  "json-array": withScripts(INDEX_MODELS["json-array"]),
};

function withScripts(model: IndexModel): ReadIndex {
  return { ...model, scripts: queryScripts(model) };
}

/** Redis did not answer, refused, or answered what nobody can read. */
export class RedisFailed extends Error {
  override readonly name = "RedisFailed";
}

function safely<A extends unknown[], T>(operation: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      return await operation(...args);
    } catch (error) {
      throw new RedisFailed(reasonOf(error));
    }
  };
}

/** `NOPERM`, `WRONGTYPE`, `TimeoutError`: enough to know what is wrong, and nothing that a client sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return error.name === "UpstashError" ? (/^[A-Z]+\b/.exec(error.message)?.[0] ?? error.name) : error.name;
}

const digests = new WeakMap<Script, string>();

/** The text is remembered, not the promise: in a Worker no request may wait for what another one began. */
async function digestOf(script: Script): Promise<string> {
  const known = digests.get(script);
  if (known !== undefined) return known;
  const hash = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(script.source));
  const digest = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  digests.set(script, digest);
  return digest;
}
