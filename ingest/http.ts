import { Hono } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import {
  clearHistory,
  dismissItem,
  forgetItem,
  markItem,
  markItems,
  pauseHistory,
} from "../db/contract/actions.ts";
import { problem, Refusal } from "../db/contract/refusals.ts";
import { postProfileEvents, postSessionEvents } from "./accept/post-events.ts";
import type { IngestContext, IngestDeps, IngestEnv, IngestHandler, MaybeHistoryDeps } from "./deps.ts";
import { act } from "./library/act.ts";
import { deleteContent } from "./library/delete-content.ts";
import { deleteRating } from "./library/delete-rating.ts";
import { deleteWatchlistItem } from "./library/delete-watchlist-item.ts";
import { getAnalytics } from "./library/get-analytics.ts";
import { getContent } from "./library/get-content.ts";
import { getContentRatings } from "./library/get-content-ratings.ts";
import { getProfile } from "./library/get-profile.ts";
import { getRatings } from "./library/get-ratings.ts";
import { getSettings } from "./library/get-settings.ts";
import { getWatchlist } from "./library/get-watchlist.ts";
import { postContents } from "./library/post-contents.ts";
import { postRating } from "./library/post-rating.ts";
import { postWatchlist } from "./library/post-watchlist.ts";
import { putContent } from "./library/put-content.ts";
import { putProfile } from "./library/put-profile.ts";
import { readChanges } from "./library/read-changes.ts";
import { readContinueWatching } from "./library/read-continue-watching.ts";
import { readFacets } from "./library/read-facets.ts";
import { readHistory } from "./library/read-history.ts";
import { readItem } from "./library/read-item.ts";
import { readNextUp } from "./library/read-next-up.ts";
import { seen } from "./observe/requests.ts";
import { deleteParty } from "./party/delete-party.ts";
import { getParties } from "./party/get-parties.ts";
import { getParty } from "./party/get-party.ts";
import { getPartyLogs } from "./party/get-party-logs.ts";
import { getPartyMessages } from "./party/get-party-messages.ts";
import { patchParty } from "./party/patch-party.ts";
import { postParty } from "./party/post-party.ts";
import { deleteProfile } from "./privacy/delete-profile.ts";
import { getExport } from "./privacy/get-export.ts";
import { requestId } from "./request-id.ts";
import { routesOn } from "./routes.ts";
import { deleteSession } from "./sessions/delete-session.ts";
import { getSession } from "./sessions/get-session.ts";
import { patchPosition } from "./sessions/patch-position.ts";
import { postSession } from "./sessions/post-session.ts";

/** Everything that ingest answers: the writes, and the reads that an edge could not answer itself. */
export function createHttp(deps: MaybeHistoryDeps): Hono<IngestEnv> {
  const { probe, newId, log, metrics } = deps;
  const http = new Hono<IngestEnv>();
  const on = routesOn(http, deps);

  on("GET /health", (c) => c.json({ status: "ok" }));
  on("GET /ready", async (c) => {
    const stores = await probe();
    return c.json(stores, Object.values(stores).every(Boolean) ? 200 : 503);
  });

  on("GET /metrics", async (c) => {
    const { type, body } = await metrics.text();
    return c.body(body, 200, { "content-type": type, "cache-control": "no-store" });
  });

  http.use(seen(deps));

  on("POST /users/:session_id/playlists/watchhistory", ofHistory(postSessionEvents));
  on("POST /profiles/:user_id/history", ofHistory(postProfileEvents));
  on("GET /users/:user_id/watchhistory", ofHistory(readHistory));
  on("GET /profiles/:user_id/history", ofHistory(readHistory));
  on("GET /users/:user_id/watchhistory/facets", ofHistory(readFacets));
  on("GET /users/:user_id/watchhistory/settings", ofHistory(getSettings));
  on("PUT /users/:user_id/watchhistory/settings", ofHistory(act(pauseHistory)));
  on("POST /users/:user_id/watchhistory/watched", ofHistory(act(markItems)));
  on("GET /users/:user_id/watchhistory/:content_id", ofHistory(readItem));
  on("GET /users/:user_id/continue-watching", ofHistory(readContinueWatching));
  on("GET /users/:user_id/changes", ofHistory(readChanges));
  on("DELETE /users/:user_id/watchhistory/:content_id", ofHistory(act(forgetItem)));
  on("DELETE /users/:user_id/watchhistory", ofHistory(act(clearHistory)));
  on("PUT /users/:user_id/watchhistory/:content_id/watched", ofHistory(act(markItem(true))));
  on("DELETE /users/:user_id/watchhistory/:content_id/watched", ofHistory(act(markItem(false))));
  on("POST /users/:user_id/continue-watching/:content_id/dismissed", ofHistory(act(dismissItem(true))));
  on("DELETE /users/:user_id/continue-watching/:content_id/dismissed", ofHistory(act(dismissItem(false))));
  on("GET /users/:user_id/next-up", ofHistory(readNextUp));
  on("GET /profiles/:user_id", ofHistory(getProfile));
  on("PUT /profiles/:user_id", ofHistory(putProfile));
  on("DELETE /profiles/:user_id", ofHistory(deleteProfile));
  on("GET /profiles/:user_id/export", ofHistory(getExport));
  on("GET /profiles/:user_id/watchlist", ofHistory(getWatchlist));
  on("POST /profiles/:user_id/watchlist", ofHistory(postWatchlist));
  on("DELETE /profiles/:user_id/watchlist/:content_id", ofHistory(deleteWatchlistItem));
  on("GET /profiles/:user_id/ratings", ofHistory(getRatings));
  on("POST /profiles/:user_id/ratings", ofHistory(postRating));
  on("DELETE /profiles/:user_id/ratings/:content_id", ofHistory(deleteRating));
  on("PUT /contents/:content_id", ofHistory(putContent));
  on("GET /contents/:content_id", ofHistory(getContent));
  on("GET /contents/:content_id/analytics", ofHistory(getAnalytics));
  on("GET /contents/:content_id/ratings", ofHistory(getContentRatings));
  on("DELETE /contents/:content_id", ofHistory(deleteContent));
  on("POST /contents", ofHistory(postContents));
  on("POST /parties", ofHistory(postParty));
  on("GET /parties", ofHistory(getParties));
  on("GET /parties/:party_id", ofHistory(getParty));
  on("PATCH /parties/:party_id", ofHistory(patchParty));
  on("DELETE /parties/:party_id", ofHistory(deleteParty));
  on("GET /parties/:party_id/messages", ofHistory(getPartyMessages));
  on("GET /parties/:party_id/logs", ofHistory(getPartyLogs));
  on("POST /api/v1/sessions", postSession(deps));
  on("GET /api/v1/sessions/:session_id", getSession(deps));
  on("PATCH /api/v1/sessions/:session_id/position", patchPosition(deps));
  on("DELETE /api/v1/sessions/:session_id", deleteSession(deps));

  http.notFound((c) => refuse(c, new Refusal("not_found", "there is nothing at this path")));
  http.onError((thrown, c) => refuse(c, thrown));
  return http;

  /** A handler that needs the half of the service that stands on Postgres: without it there is one answer. */
  function ofHistory(handler: (deps: IngestDeps) => IngestHandler): IngestHandler {
    return deps.history === null ? historyOff : handler(deps);
  }

  function refuse(c: IngestContext, thrown: unknown): Response {
    const request_id = requestId(c, newId);
    if (!(thrown instanceof Refusal)) log.error({ error: thrown, request_id }, "request failed");
    const { status, headers, body } = problem(thrown, request_id);
    return c.newResponse(body, status as StatusCode, headers);
  }
}

function historyOff(): never {
  throw new Refusal("history_off", "this service runs without Postgres: only playback sessions work");
}
