import { Hono } from "hono";
import { bearerToken } from "../db/contract/access.ts";
import { problem, Refusal } from "../db/contract/refusals.ts";
import { postProfileEvents, postSessionEvents } from "./accept/post-events.ts";
import type { IngestContext, IngestDeps, IngestEnv } from "./deps.ts";
import { deleteContent } from "./library/delete-content.ts";
import { clearHistory, forgetItem } from "./library/forget.ts";
import { getContent } from "./library/get-content.ts";
import { postContents } from "./library/post-contents.ts";
import { putContent } from "./library/put-content.ts";
import { readFacets } from "./library/read-facets.ts";
import { readHistory } from "./library/read-history.ts";
import { readItem } from "./library/read-item.ts";
import { requestId } from "./request-id.ts";

/** Everything that ingest answers: the writes, and the reads that an edge could not answer itself. */
export function createHttp(deps: IngestDeps): Hono<IngestEnv> {
  const { verifyToken, probe, newId, log } = deps;
  const http = new Hono<IngestEnv>();

  http.get("/health", (c) => c.json({ status: "ok" }));
  http.get("/ready", async (c) => {
    const stores = await probe();
    return c.json(stores, Object.values(stores).every(Boolean) ? 200 : 503);
  });

  // Who asks is checked here again, from the same token, by the same code as at the edge.
  http.use(async (c, next) => {
    c.set("viewer", await verifyToken(bearerToken(c.req.header("authorization"))));
    await next();
  });

  http.post("/users/:session_id/playlists/watchhistory", postSessionEvents(deps));
  http.post("/profiles/:user_id/history", postProfileEvents(deps));
  http.get("/users/:user_id/watchhistory", readHistory(deps));
  http.get("/profiles/:user_id/history", readHistory(deps));
  http.get("/users/:user_id/watchhistory/facets", readFacets(deps));
  http.get("/users/:user_id/watchhistory/:content_id", readItem(deps));
  http.delete("/users/:user_id/watchhistory/:content_id", forgetItem(deps));
  http.delete("/users/:user_id/watchhistory", clearHistory(deps));
  http.put("/contents/:content_id", putContent(deps));
  http.get("/contents/:content_id", getContent(deps));
  http.delete("/contents/:content_id", deleteContent(deps));
  http.post("/contents", postContents(deps));

  http.notFound((c) => refuse(c, new Refusal("not_found", "there is nothing at this path")));
  http.onError((thrown, c) => refuse(c, thrown));
  return http;

  function refuse(c: IngestContext, thrown: unknown): Response {
    const request_id = requestId(c, newId);
    if (!(thrown instanceof Refusal)) log.error({ error: thrown, request_id }, "request failed");
    const { status, headers, body } = problem(thrown, request_id);
    return new Response(body, { status, headers });
  }
}
