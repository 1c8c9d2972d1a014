import type { Context, Handler, MiddlewareHandler } from "hono";
import type { VerifyToken, Viewer } from "../db/contract/access.ts";
import type { ChangesRequest } from "../db/contract/changes.ts";
import type { Entry } from "../db/contract/events.ts";
import type { ContentId, UserId } from "../db/contract/ids.ts";
import type { CountRequests } from "../db/contract/limits.ts";
import type { Listed } from "../db/contract/listed.ts";
import type { FacetsRequest, ListRequest, PageRequest } from "../db/contract/pages.ts";
import type { Profile } from "../db/contract/profiles.ts";
import type { Rated } from "../db/contract/rated.ts";
import type { KnownSession } from "../db/contract/sessions.ts";
import type { FoundView } from "../db/redis/profile-records.ts";
import type {
  FoundChanges,
  FoundFacets,
  FoundHistory,
  FoundItem,
  FoundNarrowed,
} from "../db/redis/replies.ts";
import type { OpenSpan } from "../db/trace/span.ts";
import type { Tracer } from "../db/trace/tracer.ts";

/** Everything that the edge works with. Built once per isolate or process. */
export type EdgeDeps = {
  redis: EdgeRedis;
  ingest: AskIngest;
  pipe: PipeToIngest;
  verifyToken: VerifyToken;
  /**
   * Counts this request of its viewer, and does not wait for that.
   * @throws Refusal `rate_limited` when it is known already that there were too many.
   */
  limit: (c: EdgeContext) => void;
  /** A file of `public/`, or a 404. */
  asset: (request: Request) => Promise<Response>;
  now: () => number;
  newId: () => string;
  log: Log;
  /** Absent: nobody watches, but for the log. */
  watching?: Watching;
  settings: EdgeSettings;
};

/** Whoever wants to know what the edge does. */
export type Watching = {
  tracer?: Tracer;
  /** A request whose trace is recorded has been answered. */
  recorded?: (c: EdgeContext) => void;
  answered?: (answer: Answered) => void;
};

export type Answered = {
  kind: "read" | "write";
  status: number;
  ms: number;
  cache: Sight["cache"] | undefined;
};

/** What is seen of one request. It is kept with the request, because a Worker has no other place. */
export type Sight = {
  /** The request itself, whether somebody records it or not. */
  span: OpenSpan;
  /** Milliseconds that it waited for each. */
  waited: { redis?: number; ingest?: number };
  /** hit: Redis told everything. cold: it did not have (all of) it, so ingest was asked. away: it did not answer. */
  cache?: "hit" | "cold" | "away";
};

export type EdgeSettings = {
  corsOrigins: string[];
  backlogLimit: number;
  eventMaxAgeMs: number;
  /** How long ingest may take over a read, a write, and over saying that it is alive. */
  deadlines: { readMs: number; writeMs: number; healthMs: number };
};

/** What the edge wants of Redis. Everything throws `RedisFailed`, and nothing else. */
export type EdgeRedis = {
  /** One round trip. */
  readHistory(user: UserId, page: PageRequest, knownVersion: string): Promise<FoundHistory>;
  /** One round trip. */
  search(user: UserId, page: PageRequest, knownVersion: string): Promise<FoundNarrowed>;
  /** One round trip. */
  facets(user: UserId, request: FacetsRequest, knownVersion: string): Promise<FoundFacets>;
  /** One round trip. What is found may be more than there is to continue, and never less. */
  continueWatching(user: UserId, limit: number, knownVersion: string): Promise<FoundNarrowed>;
  /** One round trip. */
  readChanges(user: UserId, request: ChangesRequest): Promise<FoundChanges>;
  /** One round trip. */
  readItem(user: UserId, content: ContentId): Promise<FoundItem>;
  /** One round trip; null when nobody put one. */
  readProfile(user: UserId, knownVersion: string): Promise<FoundView<Profile | null>>;
  /** One round trip. */
  readWatchlist(user: UserId, page: ListRequest, knownVersion: string): Promise<FoundView<Listed[]>>;
  /** One round trip. */
  readRatings(user: UserId, page: ListRequest, knownVersion: string): Promise<FoundView<Rated[]>>;
  /** One round trip. */
  readSession(id: string): Promise<KnownSession>;
  /** @returns whether the entry was taken: not when it would take the backlog past its limit. */
  append(entry: Entry, limit: number): Promise<boolean>;
  /** One round trip, but for the first one. */
  countRequests: CountRequests;
  ping(): Promise<void>;
};

/** Asks ingest, and hears it out within the deadline. @throws IngestUnreachable, and nothing else. */
export type AskIngest = (question: IngestQuestion) => Promise<IngestAnswer>;

export type IngestQuestion = {
  method: string;
  /** Path and query, as they came. */
  path: string;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  deadlineMs: number;
  /** Of the request that it is asked for. */
  sight?: Sight;
};

/**
 * Asks ingest with a body of any length, and gives its answer as soon as that begins, while the body still comes.
 * @throws IngestUnreachable, and nothing else.
 */
export type PipeToIngest = (
  question: Omit<IngestQuestion, "body"> & { body: ReadableStream<Uint8Array> | null },
) => Promise<Response>;

export type IngestAnswer = { status: number; headers: Headers; body: ArrayBuffer };

export type Log = (level: "warn" | "error", message: string, details?: Record<string, unknown>) => void;

export type EdgeEnv = { Variables: { requestId: string; viewer: Viewer; sight: Sight } };
export type EdgeContext = Context<EdgeEnv>;
export type EdgeHandler = Handler<EdgeEnv>;
export type EdgeMiddleware = MiddlewareHandler<EdgeEnv>;
