import { mustRead } from "../../db/contract/access.ts";
import {
  historyPage,
  historyTag,
  type PageRequest,
  pageRequest,
  tagMatches,
} from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";
import { refill, unlessRedisFails } from "../refill.ts";

/**
 * One page of a history, newest first, in one round trip.
 *
 * Only a view that says it is warm is believed, up to where it says it is complete. A client that already has
 * this version costs no list.
 */
export function history(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function history(c) {
    const { user_id } = checked(UserPath, c.req.param());
    mustRead(c.var.viewer, user_id);
    const page = pageRequest(c.req.query());
    const asked = c.req.header("if-none-match");

    const reading = redis.readHistory(user_id, page, knownVersion(asked, page));
    const seen = await unlessRedisFails(deps, c, reading);
    c.header("Vary", "Authorization", { append: true });
    if (seen === null || seen.state === "cold") return await refill(deps, c);
    if (seen.state === "page" && !seen.complete) return await refill(deps, c);

    const tag = historyTag(seen.version, page);
    c.header("ETag", tag);
    c.header("Cache-Control", "private, no-cache");
    if (seen.state === "same" || tagMatches(asked, tag)) return c.body(null, 304);

    const { items, headers } = historyPage(seen.found, page.limit, c.req.path);
    return c.json(items, 200, headers);
  };
}

/** The version inside a tag that we gave for this very query, or "": then the list is read in any case. */
function knownVersion(header: string | undefined, page: PageRequest): string {
  const ending = historyTag("", page).slice(1);
  const ours = header?.split(",").find((candidate) => candidate.trim().endsWith(ending));
  return ours
    ? ours
        .trim()
        .replace(/^(W\/)?"/, "")
        .slice(0, -ending.length)
    : "";
}
