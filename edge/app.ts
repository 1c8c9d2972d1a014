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
import { continueWatching } from "./read/continue-watching.ts";
import { facets } from "./read/facets.ts";
import { history } from "./read/history.ts";
import { item } from "./read/item.ts";
import { nextUp } from "./read/next-up.ts";
import { parties, party, partyLogs, partyMessages } from "./read/party.ts";
import { session } from "./read/session.ts";
import { settings as historySettings } from "./read/settings.ts";
import { viewer } from "./viewer.ts";
import { action } from "./write/action.ts";
import { content } from "./write/content.ts";
import { contents } from "./write/contents.ts";
import { sessionEvents, userEvents } from "./write/events.ts";
import { forward } from "./write/forward.ts";
import { cancelParty, changeParty, createParty } from "./write/party.ts";
import { position } from "./write/position.ts";
import { endSession, startSession } from "./write/session.ts";

/** The whole HTTP surface. The same on every runtime. */
export function createApp(deps: EdgeDeps): Hono<EdgeEnv> {
  const { log, asset, settings } = deps;
  const app = new Hono<EdgeEnv>();

  app.use(requestId({ limitLength: 128 }));
  app.use(secureHeaders(SECURITY));
  app.use(crossOrigin(settings.corsOrigins));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: otherMethod }));

  app.get("/health", health);
  app.get("/ready", ready(deps));
  app.get("/openapi.json", async (c) => {
    const file = await asset(c.req.raw);
    return c.newResponse(file.body, file);
  });

  const user = viewer(deps);
  const act = (what: Action) => forward(deps, action(what));
  app.get("/users/:user_id/watchhistory", user, history(deps));
  app.get("/users/:user_id/watchhistory/facets", user, facets(deps));
  app.get("/users/:user_id/watchhistory/settings", user, historySettings(deps));
  app.put("/users/:user_id/watchhistory/settings", user, json, act(pauseHistory));
  app.post("/users/:user_id/watchhistory/watched", user, json, act(markItems));
  app.get("/users/:user_id/watchhistory/:content_id", user, item(deps));
  app.get("/users/:user_id/continue-watching", user, continueWatching(deps));
  app.get("/users/:user_id/changes", user, changes(deps));
  app.get("/profiles/:user_id/history", user, history(deps));
  app.post("/users/:session_id/playlists/watchhistory", user, json, forward(deps, sessionEvents));
  app.post("/profiles/:user_id/history", user, json, forward(deps, userEvents));
  app.delete("/users/:user_id/watchhistory/:content_id", user, act(forgetItem));
  app.delete("/users/:user_id/watchhistory", user, act(clearHistory));
  app.put("/users/:user_id/watchhistory/:content_id/watched", user, act(markItem(true)));
  app.delete("/users/:user_id/watchhistory/:content_id/watched", user, act(markItem(false)));
  app.post("/users/:user_id/continue-watching/:content_id/dismissed", user, act(dismissItem(true)));
  app.delete("/users/:user_id/continue-watching/:content_id/dismissed", user, act(dismissItem(false)));
  app.post("/api/v1/sessions", user, json, startSession(deps));
  app.get("/api/v1/sessions/:session_id", user, session(deps));
  app.patch("/api/v1/sessions/:session_id/position", user, json, position(deps));
  app.delete("/api/v1/sessions/:session_id", user, endSession(deps));
  app.get("/users/:user_id/next-up", user, nextUp(deps));
  app.put("/contents/:content_id", user, json, content(deps));
  app.get("/contents/:content_id", user, content(deps));
  app.get("/contents/:content_id/analytics", user, analytics(deps));
  app.delete("/contents/:content_id", user, content(deps));
  app.post("/contents", user, contents(deps));
  app.post("/parties", user, json, createParty(deps));
  app.get("/parties", user, parties(deps));
  app.get("/parties/:party_id", user, party(deps));
  app.patch("/parties/:party_id", user, json, changeParty(deps));
  app.delete("/parties/:party_id", user, cancelParty(deps));
  app.get("/parties/:party_id/messages", user, partyMessages(deps));
  app.get("/parties/:party_id/logs", user, partyLogs(deps));

  app.notFound((c) => refused(c, new Refusal("not_found", "there is nothing at this path")));
  app.onError((error, c) => {
    if (!(error instanceof Refusal)) {
      log("error", "unexpected", { requestId: c.var.requestId, ...describeError(error) });
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
    allowHeaders: ["Authorization", "Content-Type", "If-None-Match", "X-Request-Id"],
    exposeHeaders: ["Link", "ETag", "Retry-After", "RateLimit", "X-Request-Id"],
    maxAge: 600,
  });
  return async function crossOrigin(c, next) {
    if (c.req.header("origin") !== undefined) return await answerBrowser(c, next);
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
