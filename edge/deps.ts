import type { Context, Handler, MiddlewareHandler } from "hono";
import type { VerifyToken, Viewer } from "../db/contract/access.ts";
import type { ChangesRequest } from "../db/contract/changes.ts";
import type { Entry } from "../db/contract/events.ts";
import type { ContentId, UserId } from "../db/contract/ids.ts";
import type { FacetsRequest, PageRequest } from "../db/contract/pages.ts";
import type { KnownSession } from "../db/contract/sessions.ts";
import type {
  FoundChanges,
  FoundFacets,
  FoundHistory,
  FoundItem,
  FoundNarrowed,
} from "../db/redis/replies.ts";

/** Everything that the edge works with. Built once per isolate or process. */
export type EdgeDeps = {
  redis: EdgeRedis;
  ingest: AskIngest;
  pipe: PipeToIngest;
  verifyToken: VerifyToken;
  /** A file of `public/`, or a 404. */
  asset: (request: Request) => Promise<Response>;
  now: () => number;
  newId: () => string;
  log: Log;
  settings: EdgeSettings;
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
  /** One round trip. */
  readSession(id: string): Promise<KnownSession>;
  /** @returns whether the entry was taken: not when it would take the backlog past its limit. */
  append(entry: Entry, limit: number): Promise<boolean>;
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

export type EdgeEnv = { Variables: { requestId: string; viewer: Viewer } };
export type EdgeContext = Context<EdgeEnv>;
export type EdgeHandler = Handler<EdgeEnv>;
export type EdgeMiddleware = MiddlewareHandler<EdgeEnv>;
