import type { Expected, Heard } from "./model.ts";
import type { Shown } from "./read.ts";

export type Difference = {
  user_id: string;
  content_id: string;
  /** `item` when it is there and should not be, or the other way round; `order` when it is in the wrong place. */
  field: string;
  expected: unknown;
  found: unknown;
};

const SAME = ["catalog_id", "playback_time", "duration", "resume_position_seconds", "completed"] as const;

/** Every field of every item, what is missing, what is too much, and the order. */
export function differences(
  user_id: string,
  expected: readonly Expected[],
  shown: readonly Shown[],
): Difference[] {
  const found: Difference[] = [];
  const wanted = new Map(expected.map((item) => [item.content_id, item]));
  const differ = (content_id: string, field: string, expected: unknown, was: unknown) =>
    found.push({ user_id, content_id, field, expected, found: was });

  for (const [index, item] of shown.entries()) {
    const { content_id } = item;
    const want = wanted.get(content_id);
    wanted.delete(content_id);
    if (!want) {
      differ(content_id, "item", null, item);
      continue;
    }
    for (const field of SAME)
      if (want[field] !== item[field]) differ(content_id, field, want[field], item[field]);
    const { from, to } = want.last_watched_at;
    const at = Date.parse(item.last_watched_at);
    if (!(at >= from && at <= to))
      differ(content_id, "last_watched_at", timesOf(from, to), item.last_watched_at);
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
function follows(a: Shown, b: Shown): boolean {
  return (
    a.last_watched_at > b.last_watched_at ||
    (a.last_watched_at === b.last_watched_at && a.content_id > b.content_id)
  );
}

function timesOf(from: number, to: number): string {
  const text = (time: number) => new Date(time).toISOString();
  return from === to ? text(from) : `${text(from)} to ${text(to)}`;
}
