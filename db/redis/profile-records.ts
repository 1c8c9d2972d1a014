import type { ContentId } from "../contract/ids.ts";
import type { Listed } from "../contract/listed.ts";
import type { Profile } from "../contract/profiles.ts";
import type { Rated } from "../contract/rated.ts";
import { type Packed, progressOf } from "./records.ts";

/** A view as the fields of its hash. */
export type ProfileFields = (string | number)[];

export function packProfile(profile: Profile | null): ProfileFields {
  return ["body", profile ? JSON.stringify(profile) : ""];
}

/** @param made stands for what the catalogue said. */
export function packWatchlist(items: readonly Omit<Listed, "progress">[], made: string): ProfileFields {
  const fields: ProfileFields = ["order", orderOf(items, (its) => its.added_at), "made", made];
  for (const { content_id, title, thumbnail } of items) {
    fields.push(`:${content_id}`, JSON.stringify([title, thumbnail]));
  }
  return fields;
}

/** @param whole whether these are all of them. */
export function packRatings(items: readonly Rated[], whole: boolean): ProfileFields {
  const fields: ProfileFields = ["order", orderOf(items, (its) => its.rated_at), "whole", whole ? 1 : 0];
  for (const { content_id, rating, review } of items) {
    fields.push(`:${content_id}`, JSON.stringify([rating, review]));
  }
  return fields;
}

/** What a script found of a view: cold, what the client has already, or something of a version. */
export type FoundView<Found> =
  | { state: "cold" }
  | { state: "same"; version: string }
  | { state: "page"; version: string; complete: boolean; found: Found };

/** The reply of `readProfile`; null when nobody put one. */
export function foundProfile(reply: unknown): FoundView<Profile | null> {
  return foundView(reply, (body) => (body === "" ? null : (JSON.parse(body) as Profile)));
}

/** The reply of `readRatings`. */
export function foundRatings(reply: unknown): FoundView<Rated[]> {
  return foundView(reply, (places, items) => {
    const packed = JSON.parse(items) as [rating: number, review: string | null][];
    return placesIn(places).map(({ at, content_id }, n) => {
      const [rating, review] = packed[n] as (typeof packed)[number];
      return { content_id, rating, review, rated_at: at };
    });
  });
}

/** The reply of `readWatchlist`. */
export function foundWatchlist(reply: unknown): FoundView<Listed[]> {
  return foundView(reply, (places, items, progress) => {
    const packed = JSON.parse(items) as [title: string | null, thumbnail: string | null][];
    const watched = JSON.parse(progress) as (Packed | null)[];
    return placesIn(places).map(({ at, content_id }, n) => {
      const [title, thumbnail] = packed[n] as (typeof packed)[number];
      const its = watched[n] ?? null;
      return { content_id, added_at: at, title, thumbnail, progress: its && progressOf(content_id, its) };
    });
  });
}

function foundView<Found>(
  reply: unknown,
  read: (first: string, second: string, third: string) => Found,
): FoundView<Found> {
  const [state, version, complete, ...texts] = reply as Reply<Found>;
  if (state === "cold") return { state };
  if (state === "same") return { state, version };
  return { state, version, complete: complete === 1, found: read(...texts) };
}

function orderOf<Item extends { content_id: ContentId }>(
  items: readonly Item[],
  timeOf: (item: Item) => number,
): string {
  return items.map((item) => `${timeOf(item)}_${item.content_id}`).join(" ");
}

function placesIn(order: string): { at: number; content_id: ContentId }[] {
  if (order === "") return [];
  return order.split(" ").map((place) => {
    const cut = place.indexOf("_");
    return { at: Number(place.slice(0, cut)), content_id: place.slice(cut + 1) as ContentId };
  });
}

type Reply<Found> = [
  state: FoundView<Found>["state"],
  version: string,
  complete: number,
  first: string,
  second: string,
  third: string,
];
