import { Hono } from "hono";
import { bearerToken } from "../db/contract/access.ts";
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
import { getAnalytics } from "./library/get-analytics.ts";
import { getContent } from "./library/get-content.ts";
import { getSettings } from "./library/get-settings.ts";
import { postContents } from "./library/post-contents.ts";
import { putContent } from "./library/put-content.ts";
import { readChanges } from "./library/read-changes.ts";
import { readContinueWatching } from "./library/read-continue-watching.ts";
import { readFacets } from "./library/read-facets.ts";
import { readHistory } from "./library/read-history.ts";
import { readItem } from "./library/read-item.ts";
import { readNextUp } from "./library/read-next-up.ts";
import { deleteParty } from "./party/delete-party.ts";
import { getParties } from "./party/get-parties.ts";
import { getParty } from "./party/get-party.ts";
import { getPartyLogs } from "./party/get-party-logs.ts";
import { getPartyMessages } from "./party/get-party-messages.ts";
import { patchParty } from "./party/patch-party.ts";
import { postParty } from "./party/post-party.ts";
import { requestId } from "./request-id.ts";
import { deleteSession } from "./sessions/delete-session.ts";
import { getSession } from "./sessions/get-session.ts";
import { patchPosition } from "./sessions/patch-position.ts";
import { postSession } from "./sessions/post-session.ts";

/** Everything that ingest answers: the writes, and the reads that an edge could not answer itself. */
export function createHttp(deps: MaybeHistoryDeps): Hono<IngestEnv> {
  const { verifyToken, probe, newId, log, metrics } = deps;
  const http = new Hono<IngestEnv>();

  http.get("/health", (c) => c.json({ status: "ok" }));
  http.get("/ready", async (c) => {
    const stores = await probe();
    return c.json(stores, Object.values(stores).every(Boolean) ? 200 : 503);
  });

  http.get("/metrics", async (c) => {
    const { type, body } = await metrics.text();
    return c.body(body, 200, { "content-type": type, "cache-control": "no-store" });
  });

  // Who asks is checked here again, from the same token, by the same code as at the edge.
  http.use(async (c, next) => {
    c.set("viewer", await verifyToken(bearerToken(c.req.header("authorization"))));
    await next();
  });

  http.post("/users/:session_id/playlists/watchhistory", ofHistory(postSessionEvents));
  http.post("/profiles/:user_id/history", ofHistory(postProfileEvents));
  http.get("/users/:user_id/watchhistory", ofHistory(readHistory));
  http.get("/profiles/:user_id/history", ofHistory(readHistory));
  http.get("/users/:user_id/watchhistory/facets", ofHistory(readFacets));
  http.get("/users/:user_id/watchhistory/settings", ofHistory(getSettings));
  http.put("/users/:user_id/watchhistory/settings", ofHistory(act(pauseHistory)));
  http.post("/users/:user_id/watchhistory/watched", ofHistory(act(markItems)));
  http.get("/users/:user_id/watchhistory/:content_id", ofHistory(readItem));
  http.get("/users/:user_id/continue-watching", ofHistory(readContinueWatching));
  http.get("/users/:user_id/changes", ofHistory(readChanges));
  http.delete("/users/:user_id/watchhistory/:content_id", ofHistory(act(forgetItem)));
  http.delete("/users/:user_id/watchhistory", ofHistory(act(clearHistory)));
  http.put("/users/:user_id/watchhistory/:content_id/watched", ofHistory(act(markItem(true))));
  http.delete("/users/:user_id/watchhistory/:content_id/watched", ofHistory(act(markItem(false))));
  http.post("/users/:user_id/continue-watching/:content_id/dismissed", ofHistory(act(dismissItem(true))));
  http.delete("/users/:user_id/continue-watching/:content_id/dismissed", ofHistory(act(dismissItem(false))));
  http.get("/users/:user_id/next-up", ofHistory(readNextUp));
  http.put("/contents/:content_id", ofHistory(putContent));
  http.get("/contents/:content_id", ofHistory(getContent));
  http.get("/contents/:content_id/analytics", ofHistory(getAnalytics));
  http.delete("/contents/:content_id", ofHistory(deleteContent));
  http.post("/contents", ofHistory(postContents));
  http.post("/parties", ofHistory(postParty));
  http.get("/parties", ofHistory(getParties));
  http.get("/parties/:party_id", ofHistory(getParty));
  http.patch("/parties/:party_id", ofHistory(patchParty));
  http.delete("/parties/:party_id", ofHistory(deleteParty));
  http.get("/parties/:party_id/messages", ofHistory(getPartyMessages));
  http.get("/parties/:party_id/logs", ofHistory(getPartyLogs));
  http.post("/api/v1/sessions", postSession(deps));
  http.get("/api/v1/sessions/:session_id", getSession(deps));
  http.patch("/api/v1/sessions/:session_id/position", patchPosition(deps));
  http.delete("/api/v1/sessions/:session_id", deleteSession(deps));

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
    return new Response(body, { status, headers });
  }
}

function historyOff(): never {
  throw new Refusal("history_off", "this service runs without Postgres: only playback sessions work");
}
