import type { Heard, Range } from "./expected/events.ts";
import type { Listed, Shown } from "./read.ts";
import type { View } from "./views.ts";

export type Difference = {
  user_id: string;
  /** `changes`: the history as a client knows it that follows the changes. */
  view: View | "changes";
  content_id: string;
  /** `item` when it is there and should not be, or the other way round; `order` when it is in the wrong place. */
  field: string;
  expected: unknown;
  found: unknown;
};

/** An item as it must be shown: with just these values, and a time within the range. */
export type Wanted = { content_id: string; last_watched_at?: Range; [field: string]: unknown };

/**
 * Every field of every item, what is missing, what is too much, and the order.
 *
 * @param follows does the second come right after the first, or somewhere after it?
 */
export function differences(
  of: Pick<Difference, "user_id" | "view">,
  expected: readonly Wanted[],
  shown: readonly Listed[],
  follows: (before: Listed, item: Listed) => boolean,
): Difference[] {
  const found: Difference[] = [];
  const wanted = new Map(expected.map((item) => [item.content_id, item]));
  const differ = (content_id: string, field: string, expected: unknown, was: unknown) =>
    found.push({ ...of, content_id, field, expected, found: was });

  for (const [index, item] of shown.entries()) {
    const { content_id } = item;
    const want = wanted.get(content_id);
    wanted.delete(content_id);
    if (!want) {
      differ(content_id, "item", null, item);
      continue;
    }
    const { last_watched_at: range, ...fields } = want;
    for (const [field, value] of Object.entries(fields))
      if (!isSame(value, item[field])) differ(content_id, field, value, item[field]);
    if (range && !isWithin(range, item.last_watched_at))
      differ(content_id, "last_watched_at", timesOf(range), item.last_watched_at);
    const before = shown[index - 1];
    if (before && !follows(before, item)) differ(content_id, "order", `before ${before.content_id}`, index);
  }
  for (const [content_id, item] of wanted) differ(content_id, "item", item, null);
  return found;
}

/**
 * Accepted events that left no trace: newer than what is shown of their item. An older one that was lost under a
 * newer one cannot be seen by anybody.
 */
export function lost(living: readonly Heard[], shown: readonly Shown[]): Heard[] {
  const seen = new Map(shown.map((item) => [item.content_id, Date.parse(item.last_watched_at)]));
  return living.filter(({ content_id, at }) => at > (seen.get(content_id) ?? 0));
}

/** Newest first; of the same moment, the greater id first. */
export function newestFirst(a: Listed, b: Listed): boolean {
  const [one, other] = [String(a.last_watched_at), String(b.last_watched_at)];
  return one > other || (one === other && a.content_id > b.content_id);
}

/** Newest first; of the same moment, by show. */
export function newestShowFirst(a: Listed, b: Listed): boolean {
  const [one, other] = [String(a.last_watched_at), String(b.last_watched_at)];
  return one > other || (one === other && String(a.show) < String(b.show));
}

/** As in another list. */
export function asIn(expected: readonly Wanted[]): (a: Listed, b: Listed) => boolean {
  const place = ({ content_id }: Listed) => expected.findIndex((item) => item.content_id === content_id);
  return (a, b) => place(a) < place(b);
}

/** Values as JSON has them; the names of a record are in no order, and there are none in any record here. */
function isSame(expected: unknown, found: unknown): boolean {
  return expected === found || JSON.stringify(expected) === JSON.stringify(found);
}

function isWithin({ from, to }: Range, time: unknown): boolean {
  const at = Date.parse(String(time));
  return at >= from && at <= to;
}

function timesOf({ from, to }: Range): string {
  const text = (time: number) => new Date(time).toISOString();
  return from === to ? text(from) : `${text(from)} to ${text(to)}`;
}
