import { Refusal } from "../db/contract/refusals.ts";
import type { EdgeDeps, EdgeHandler } from "./deps.ts";

/** Alive: this process answers. */
export const health: EdgeHandler = (c) => c.json({ status: "ok" }, 200, { "Cache-Control": "no-store" });

/**
 * Ready: reads and writes are served in some way. Redis or ingest alone is enough for both: ingest answers
 * reads from Postgres, and without it the edge appends to the stream itself.
 */
export function ready({ redis, ingest, settings }: EdgeDeps): EdgeHandler {
  return async function ready(c) {
    const deadlineMs = settings.deadlines.healthMs;
    const [redisUp, ingestUp] = await Promise.all([
      redis.ping().then(yes, no),
      ingest({ method: "GET", path: "/health", headers: {}, deadlineMs }).then(
        ({ status }) => status < 300,
        no,
      ),
    ]);
    const parts = { redis: redisUp, ingest: ingestUp };
    if (!redisUp && !ingestUp)
      throw new Refusal("unavailable", "Redis and ingest are away", { members: parts });
    const status = redisUp && ingestUp ? "ok" : "degraded";
    return c.json({ status, ...parts }, 200, { "Cache-Control": "no-store" });
  };
}

const yes = () => true;
const no = () => false;
