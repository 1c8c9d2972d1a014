import { tagMatches, tagOf, versionIn } from "../db/contract/pages.ts";
import type { NotFound } from "../db/redis/replies.ts";
import type { EdgeContext, EdgeDeps } from "./deps.ts";
import { refill, unlessRedisFails } from "./refill.ts";

/** What one round trip brings: something of a version, complete or not, or a reason why there is nothing. */
type Seen<Found> = NotFound | { version: string; complete: boolean; found: Found };

/**
 * Answers with what a view says. Only a view that is warm is believed, up to where it says it is complete; whatever
 * else there is to know is asked of ingest. A client that already has this version of this query costs no list.
 *
 * @param key stands for the query in its tag.
 * @param what is out of reach when nobody can answer, as `the history is`.
 * @param read is given the version that the client has, or "".
 */
export async function answerFromView<Found>(
  deps: EdgeDeps,
  c: EdgeContext,
  { key, what, read, show }: Reading<Found>,
): Promise<Response> {
  const asked = c.req.header("if-none-match");
  const seen = await unlessRedisFails(deps, c, read(versionIn(asked, key)));
  c.header("Vary", "Authorization", { append: true });
  if (seen === null || !("version" in seen)) return await refill(deps, c, what);
  if ("complete" in seen && !seen.complete) return await refill(deps, c, what);

  const tag = tagOf(seen.version, key);
  c.header("ETag", tag);
  c.header("Cache-Control", "private, no-cache");
  if (!("found" in seen) || tagMatches(asked, tag)) return c.body(null, 304);
  const { body, headers = {} } = show(seen.found);
  return c.json(body, 200, headers);
}

type Reading<Found> = {
  key: string;
  what?: string;
  read: (knownVersion: string) => Promise<Seen<Found>>;
  show: (found: Found) => { body: object; headers?: Record<string, string> };
};
