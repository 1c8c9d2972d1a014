import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import type { StatusCode } from "hono/utils/http-status";
import {
  type Action,
  clearHistory,
  dismissItem,
  forgetItem,
  markItem,
  markItems,
  pauseHistory,
} from "../db/contract/actions.ts";
import { problem, Refusal } from "../db/contract/refusals.ts";
import { mustBeJson } from "../db/contract/requests.ts";
import type { EdgeContext, EdgeDeps, EdgeEnv, EdgeHandler, EdgeMiddleware } from "./deps.ts";
import { health, ready } from "./health.ts";
import { describeError } from "./log.ts";
import { analytics } from "./read/analytics.ts";
import { changes } from "./read/changes.ts";
import { contentRatings } from "./read/content-ratings.ts";
import { continueWatching } from "./read/continue-watching.ts";
import { userExport } from "./read/export.ts";
import { facets } from "./read/facets.ts";
import { history } from "./read/history.ts";
import { item } from "./read/item.ts";
import { nextUp } from "./read/next-up.ts";
import { parties, party, partyLogs, partyMessages } from "./read/party.ts";
import { profile } from "./read/profile.ts";
import { ratings } from "./read/ratings.ts";
import { session } from "./read/session.ts";
import { settings as historySettings } from "./read/settings.ts";
import { watchlist } from "./read/watchlist.ts";
import { routesOn } from "./routes.ts";
import { idsOf, seenIngest, sight } from "./sight.ts";
import { action } from "./write/action.ts";
import { content } from "./write/content.ts";
import { contents } from "./write/contents.ts";
import { erasure } from "./write/erasure.ts";
import { sessionEvents, userEvents } from "./write/events.ts";
import { forward } from "./write/forward.ts";
import { partyWrite } from "./write/party.ts";
import { position } from "./write/position.ts";
import { profileWrite } from "./write/profile.ts";
import { endSession, startSession } from "./write/session.ts";

/** The whole HTTP surface. The same on every runtime. */
export function createApp(given: EdgeDeps): Hono<EdgeEnv> {
  const deps = { ...given, ...seenIngest(given) };
  const { log, asset, settings } = deps;
  const app = new Hono<EdgeEnv>();

  app.use(requestId({ limitLength: 128 }));
  app.use(sight(deps));
  app.use(secureHeaders(SECURITY));
  app.use(crossOrigin(settings.corsOrigins));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: otherMethod }));

  const on = routesOn(app, deps);
  on("GET /health", health);
  on("GET /ready", ready(deps));
  const published: EdgeHandler = async (c) => {
    const file = await asset(c.req.raw);
    return c.newResponse(file.body, file);
  };
  on("GET /openapi.json", published);
  on("GET /events.json", published);

  const act = (what: Action) => forward(deps, action(what));
  on("GET /users/:user_id/watchhistory", history(deps));
  on("GET /users/:user_id/watchhistory/facets", facets(deps));
  on("GET /users/:user_id/watchhistory/settings", historySettings(deps));
  on("PUT /users/:user_id/watchhistory/settings", json, act(pauseHistory));
  on("POST /users/:user_id/watchhistory/watched", json, act(markItems));
  on("GET /users/:user_id/watchhistory/:content_id", item(deps));
  on("GET /users/:user_id/continue-watching", continueWatching(deps));
  on("GET /users/:user_id/changes", changes(deps));
  on("GET /profiles/:user_id/history", history(deps));
  on("POST /users/:session_id/playlists/watchhistory", json, forward(deps, sessionEvents));
  on("POST /profiles/:user_id/history", json, forward(deps, userEvents));
  on("DELETE /users/:user_id/watchhistory/:content_id", act(forgetItem));
  on("DELETE /users/:user_id/watchhistory", act(clearHistory));
  on("PUT /users/:user_id/watchhistory/:content_id/watched", act(markItem(true)));
  on("DELETE /users/:user_id/watchhistory/:content_id/watched", act(markItem(false)));
  on("POST /users/:user_id/continue-watching/:content_id/dismissed", act(dismissItem(true)));
  on("DELETE /users/:user_id/continue-watching/:content_id/dismissed", act(dismissItem(false)));
  on("POST /api/v1/sessions", json, startSession(deps));
  on("GET /api/v1/sessions/:session_id", session(deps));
  on("PATCH /api/v1/sessions/:session_id/position", json, position(deps));
  on("DELETE /api/v1/sessions/:session_id", endSession(deps));
  on("GET /users/:user_id/next-up", nextUp(deps));
  on("GET /profiles/:user_id", profile(deps));
  on("PUT /profiles/:user_id", json, profileWrite(deps));
  on("DELETE /profiles/:user_id", erasure(deps));
  on("GET /profiles/:user_id/export", userExport(deps));
  on("GET /profiles/:user_id/watchlist", watchlist(deps));
  on("POST /profiles/:user_id/watchlist", json, profileWrite(deps));
  on("DELETE /profiles/:user_id/watchlist/:content_id", profileWrite(deps));
  on("GET /profiles/:user_id/ratings", ratings(deps));
  on("POST /profiles/:user_id/ratings", json, profileWrite(deps));
  on("DELETE /profiles/:user_id/ratings/:content_id", profileWrite(deps));
  on("PUT /contents/:content_id", json, content(deps));
  on("GET /contents/:content_id", content(deps));
  on("GET /contents/:content_id/analytics", analytics(deps));
  on("GET /contents/:content_id/ratings", contentRatings(deps));
  on("DELETE /contents/:content_id", content(deps));
  on("POST /contents", contents(deps));
  on("POST /parties", json, partyWrite(deps));
  on("GET /parties", parties(deps));
  on("GET /parties/:party_id", party(deps));
  on("PATCH /parties/:party_id", json, partyWrite(deps));
  on("DELETE /parties/:party_id", partyWrite(deps));
  on("GET /parties/:party_id/messages", partyMessages(deps));
  on("GET /parties/:party_id/logs", partyLogs(deps));

  app.notFound((c) => refused(c, new Refusal("not_found", "there is nothing at this path")));
  app.onError((error, c) => {
    if (!(error instanceof Refusal)) {
      log("error", "unexpected", { ...idsOf(c), ...describeError(error) });
    }
    return refused(c, error);
  });
  return app;
}

/** What means something to a browser that is given JSON; the rest is about pages. */
const SECURITY: Parameters<typeof secureHeaders>[0] = {
  crossOriginResourcePolicy: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  xFrameOptions: "DENY",
};

/** Only a browser names its origin; to answer one leaves the fast path of Node's adapter, so nobody else does. */
function crossOrigin(origins: string[]): EdgeMiddleware {
  const answerBrowser = cors({
    origin: origins,
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: ["Authorization", "Content-Type", "If-None-Match", "X-Request-Id", "Traceparent"],
    exposeHeaders: [
      "Link",
      "ETag",
      "Retry-After",
      "RateLimit",
      "RateLimit-Policy",
      "Server-Timing",
      "X-Request-Id",
    ],
    maxAge: 600,
  });
  return async function crossOrigin(c, next) {
    const origin = c.req.header("origin");
    if (origin !== undefined) {
      if (origins.includes(origin)) c.header("Timing-Allow-Origin", origin);
      return await answerBrowser(c, next);
    }
    c.header("Vary", "Origin");
    await next();
  };
}

const json: EdgeHandler = async (c, next) => {
  mustBeJson(c.req.header("content-type"));
  await next();
};

function otherMethod(c: EdgeContext, methods: string[]): Response {
  c.header("Allow", methods.join(", "));
  return refused(c, new Refusal("method_not_allowed", `this path answers ${methods.join(", ")}`));
}

function refused(c: EdgeContext, thrown: unknown): Response {
  const { status, headers, body } = problem(thrown, c.var.requestId);
  return c.newResponse(body, status as StatusCode, headers);
}
