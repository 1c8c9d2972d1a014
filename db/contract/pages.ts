import * as z from "zod";
import {
  DIMENSIONS,
  type Dimension,
  filterOf,
  filterParameters,
  type HistoryFilter,
  REPEATABLE,
} from "./dimensions.ts";
import { ContentId, compareIds } from "./ids.ts";
import { checked, Refusal } from "./refusals.ts";

/**
 * A place in a history, or in another list by its own time: just after this item. Newest first, equal times by
 * content_id as bytes, descending.
 */
export type Cursor = { watched_at: number; content_id: ContentId };

/** A query string with all values of every parameter. */
export type Query = Record<string, string[]>;

/** How many of a list are wanted. */
export function limitParameter({ usual, most }: { usual: number; most: number }) {
  return z
    .string()
    .regex(/^\d{1,9}$/, "a whole number")
    .transform(Number)
    .pipe(z.number().min(1).max(most))
    .default(usual);
}

/** Nothing else is taken: a misspelt parameter would widen what is asked for. */
export const HistoryQuery = z.strictObject({
  limit: limitParameter({ usual: 50, most: 200 }),
  cursor: z.string().max(400).nullable().default(null),
  ...filterParameters,
});
/** A page of a list that cannot be narrowed. */
export const ListQuery = HistoryQuery.pick({ limit: true, cursor: true });
export const FacetsQuery = z.strictObject({ by: z.enum(DIMENSIONS), ...filterParameters });

export type PageRequest = { limit: number; after: Cursor | null; filter: HistoryFilter | null };
export type ListRequest = Omit<PageRequest, "filter">;
export type FacetsRequest = { by: Dimension; filter: HistoryFilter | null };

/** The query string of a history list. @throws Refusal `invalid_input` */
export function pageRequest(query: Query): PageRequest {
  const { limit, cursor, ...narrowing } = checked(HistoryQuery, parametersOf(query));
  return { limit, after: cursor === null ? null : decodeCursor(cursor), filter: filterOf(narrowing) };
}

/** The query string of a list that cannot be narrowed. @throws Refusal `invalid_input` */
export function listRequest(query: Query): ListRequest {
  const { limit, cursor } = checked(ListQuery, parametersOf(query));
  return { limit, after: cursor === null ? null : decodeCursor(cursor) };
}

/** The query string of facets. @throws Refusal `invalid_input` */
export function facetsRequest(query: Query): FacetsRequest {
  const { by, ...narrowing } = checked(FacetsQuery, parametersOf(query));
  return { by, filter: filterOf(narrowing) };
}

/** What may be given once only is a text, and a fault of its schema when it was given twice. */
export function parametersOf(query: Query): Record<string, string | string[] | undefined> {
  return Object.fromEntries(
    Object.entries(query).map(([name, values]) => [
      name,
      values.length === 1 && !REPEATABLE.includes(name) ? values[0] : values,
    ]),
  );
}

/** The order of every list of a history: negative when `a` comes first. */
export function newestFirst(a: Cursor, b: Cursor): number {
  return b.watched_at - a.watched_at || compareIds(b.content_id, a.content_id);
}

/**
 * One page out of the items that follow the cursor, newest first, one more than the limit where there is one: what to
 * show, and the `Link` to the following page, which asks for the same.
 */
export function pageOf<Item>(
  found: readonly Item[],
  placeOf: (item: Item) => Cursor,
  { limit, path, query }: { limit: number; path: string; query: Query },
): { shown: readonly Item[]; headers: Record<string, string> } {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  if (last === undefined || found.length <= limit) return { shown, headers: {} };
  const { watched_at, content_id } = placeOf(last);
  return { shown, headers: linkTo(path, { limit, query, cursor: `${watched_at}_${content_id}` }) };
}

/** The `Link` to what follows: the same query from the cursor on. */
export function linkTo(
  path: string,
  { limit, query, cursor }: { limit: number; query: Query; cursor: string },
): { link: string } {
  const next = new URLSearchParams({ limit: String(limit) });
  for (const [name, values] of Object.entries(query)) {
    if (name !== "limit" && name !== "cursor") for (const value of values) next.append(name, value);
  }
  next.append("cursor", cursor);
  return { link: `<${path}?${next}>; rel="next"` };
}

/** What stands for a query in its tag: short, and the same for the same query. */
export async function queryKey(query: Query): Promise<string> {
  const canonical = JSON.stringify(Object.entries(query).sort(([a], [b]) => compareIds(a, b)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
  return Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The same for a page of the whole history, where no digest is needed. */
export function pageKey({ limit, after }: ListRequest): string {
  return `${limit}.${after ? `${after.watched_at}_${after.content_id}` : ""}`;
}

/** `ETag` of an answer: the version of the view, and the query. */
export function tagOf(version: string, key: string): string {
  return `"${version}.${key}"`;
}

/** The version in a tag that we gave for this very query, or "": then the answer is made in any case. */
export function versionIn(header: string | undefined, key: string): string {
  const ending = `.${key}"`;
  const tags = header?.split(",").map((candidate) => candidate.trim());
  const ours = tags?.find((tag) => tag.endsWith(ending));
  return ours ? ours.replace(/^(W\/)?"/, "").slice(0, -ending.length) : "";
}

/** Does an `If-None-Match` header name this tag? */
export function tagMatches(header: string | null | undefined, tag: string): boolean {
  if (!header) return false;
  return header.split(",").some((candidate) => {
    const stripped = candidate.trim().replace(/^W\//, "");
    return stripped === "*" || stripped === tag;
  });
}

function decodeCursor(text: string): Cursor {
  const [, time, id] = /^(\d{1,16})_(.+)$/.exec(text) ?? [];
  const content_id = ContentId.safeParse(id);
  if (time === undefined || !content_id.success) {
    throw new Refusal("invalid_input", "cursor: not one of ours", {
      errors: [{ path: "cursor", message: "not one of ours" }],
    });
  }
  return { watched_at: Number(time), content_id: content_id.data };
}
