import * as z from "zod";
import { ContentId, compareIds } from "./ids.ts";
import { checked, Refusal } from "./refusals.ts";
import { type HistoryItem, historyItem, type Progress } from "./views.ts";

/** A place in a history: just after this item. Newest first, equal times by content_id as bytes, descending. */
export type Cursor = { position_at: number; content_id: ContentId };

export const HistoryQuery = z.object({
  limit: z
    .string()
    .regex(/^\d+$/, "a whole number")
    .transform(Number)
    .pipe(z.number().min(1).max(200))
    .default(50),
  cursor: z.string().max(400).optional(),
});

export type PageRequest = { limit: number; after: Cursor | null };

/** The query string of a history list. @throws Refusal `invalid_input` */
export function pageRequest(query: Record<string, string>): PageRequest {
  const { limit, cursor } = checked(HistoryQuery, query);
  return { limit, after: cursor === undefined ? null : decodeCursor(cursor) };
}

/** The order of every list of a history: negative when `a` comes first. */
export function newestFirst(a: Cursor, b: Cursor): number {
  return b.position_at - a.position_at || compareIds(b.content_id, a.content_id);
}

/**
 * One page out of the items that follow the cursor, newest first, one more than the limit where there is one.
 * `next` is the path of the following page, for the `Link` header.
 */
export function historyPage(
  found: readonly Progress[],
  limit: number,
  path: string,
): { items: HistoryItem[]; headers: Record<string, string> } {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const headers: Record<string, string> = {};
  if (last && found.length > limit) {
    headers.link = `<${path}?limit=${limit}&cursor=${encodeCursor(last)}>; rel="next"`;
  }
  return { items: shown.map(historyItem), headers };
}

/** `ETag` of a list: the version of the view and the query. */
export function historyTag(version: string, { limit, after }: PageRequest): string {
  return `"${version}.${limit}.${after ? encodeCursor(after) : ""}"`;
}

/** Does an `If-None-Match` header name this tag? */
export function tagMatches(header: string | null | undefined, tag: string): boolean {
  if (!header) return false;
  return header.split(",").some((candidate) => {
    const stripped = candidate.trim().replace(/^W\//, "");
    return stripped === "*" || stripped === tag;
  });
}

function encodeCursor({ position_at, content_id }: Cursor): string {
  return encodeURIComponent(`${position_at}_${content_id}`);
}

function decodeCursor(text: string): Cursor {
  const [, time, id] = /^(\d{1,16})_(.+)$/.exec(text) ?? [];
  const content_id = ContentId.safeParse(id);
  if (time === undefined || !content_id.success) {
    throw new Refusal("invalid_input", "cursor: not one of ours", {
      errors: [{ path: "cursor", message: "not one of ours" }],
    });
  }
  return { position_at: Number(time), content_id: content_id.data };
}
