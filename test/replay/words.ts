import type { Difference } from "./compare.ts";
import type { Comparison } from "./judge.ts";
import type { Statuses } from "./persist.ts";

export function differenceLine(difference: Difference): string {
  const { user_id, view, content_id, field, expected, found } = difference;
  return `${user_id} ${view} ${content_id} ${field}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
}

/** `202 x 1,234, 503 x 5`. */
export function statusLine(statuses: Statuses): string {
  return [...statuses]
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    .map(([status, times]) => `${status} x ${times.toLocaleString("en")}`)
    .join(", ");
}

/** What was compared, in items: `history 1,234, continue-watching 56, ..., changes 1,234 (out of 5,678)`. */
export function comparedLine({ items, changes }: Comparison): string {
  const views = Object.entries(items).map(([view, count]) => `${view} ${count.toLocaleString("en")}`);
  return `${views.join(", ")} (out of ${changes.toLocaleString("en")})`;
}
