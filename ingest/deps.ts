import type { Context } from "hono";
import type { VerifyToken, Viewer } from "../db/contract/access.ts";
import type { Entry } from "../db/contract/events.ts";
import type { ContentId, UserId } from "../db/contract/ids.ts";
import type { Pauses } from "../db/contract/pauses.ts";
import type { ReviewsRequest } from "../db/contract/reviews.ts";
import type { ContentLibrary } from "./library/content-library.ts";
import type { ContentReviews } from "./library/load-reviews.ts";
import type { ProfileLibrary } from "./library/profile-library.ts";
import type { LimitWrites } from "./limit.ts";
import type { Log } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import type { Tracing } from "./observe/tracing.ts";
import type { Parties } from "./party/parties.ts";
import type { Privacy } from "./privacy/privacy.ts";
import type { SessionStore } from "./sessions/session-store.ts";
import type { NextUpReader } from "./views/next-up.ts";
import type { HistoryReader } from "./views/read.ts";
import type { ProfileReader } from "./views/read-profile.ts";

/** What every handler works with, with history or without; real ones are made in service.ts alone. */
export type ServiceDeps = {
  verifyToken: VerifyToken;
  limit: LimitWrites;
  clock: () => number;
  newId: () => string;
  log: Log;
  metrics: Metrics;
  tracing: Tracing;
  eventMaxAgeMs: number;
  sessions: SessionStore;
  /** This process stops: what would go on for long ends now. */
  stopping: AbortSignal;
  /** Are the stores there? By name. */
  probe: () => Promise<Record<string, boolean>>;
};

/** What the half that stands on Postgres adds; real ones are made in history.ts alone. */
export type HistoryDeps = {
  /** Resolves once the entry is in the stream. */
  append: (entry: Entry) => Promise<void>;
  /** Stores and projects an entry that is in the stream already; false when that could not be done in time. */
  applyNow: (entry: Entry) => Promise<boolean>;
  history: HistoryReader;
  /** @throws Refusal `unavailable` while Postgres is out of reach, and nothing is kept. */
  nextUp: NextUpReader;
  contents: ContentLibrary;
  parties: Parties;
  /** @throws Refusal `unavailable` while Postgres is out of reach. */
  profiles: ProfileReader;
  library: ProfileLibrary;
  /** Up to limit + 1 reviews after the cursor. @throws Refusal `unavailable` while Postgres is out of reach. */
  loadReviews: (content: ContentId, request: ReviewsRequest) => Promise<ContentReviews>;
  privacy: Privacy;
  /** @throws Refusal `unavailable` while Postgres is out of reach. */
  loadPauses: (user: UserId) => Promise<Pauses>;
};

/** What handlers of the history and of the catalogue work with. */
export type IngestDeps = ServiceDeps & HistoryDeps;

/** What there is when nobody knows yet whether history is on: a `history` that is null is off, and so is the rest. */
export type MaybeHistoryDeps = IngestDeps | (ServiceDeps & { history: null });

export type IngestEnv = { Variables: { viewer: Viewer; requestId?: string } };
export type IngestContext = Context<IngestEnv>;
export type IngestHandler = (c: IngestContext) => Promise<Response> | Response;
