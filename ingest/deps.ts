import type { Context } from "hono";
import type { VerifyToken, Viewer } from "../db/contract/access.ts";
import type { Entry } from "../db/contract/events.ts";
import type { ContentLibrary } from "./library/content-library.ts";
import type { Log } from "./observe/log.ts";
import type { HistoryReader } from "./views/read.ts";

/** What the handlers work with; real ones are made in service.ts alone. */
export type IngestDeps = {
  verifyToken: VerifyToken;
  clock: () => number;
  newId: () => string;
  log: Log;
  eventMaxAgeMs: number;
  /** Resolves once the entry is in the stream. */
  append: (entry: Entry) => Promise<void>;
  /** Stores and projects an entry that is in the stream already; false when that could not be done in time. */
  applyNow: (entry: Entry) => Promise<boolean>;
  history: HistoryReader;
  contents: ContentLibrary;
  /** This process stops: what would go on for long ends now. */
  stopping: AbortSignal;
  /** Are the stores there? By name. */
  probe: () => Promise<Record<string, boolean>>;
};

export type IngestEnv = { Variables: { viewer: Viewer } };
export type IngestContext = Context<IngestEnv>;
export type IngestHandler = (c: IngestContext) => Promise<Response> | Response;
