import type { Difference } from "./compare.ts";
import type { Statuses } from "./persist.ts";

export function differenceLine({ user_id, content_id, field, expected, found }: Difference): string {
  return `${user_id} ${content_id} ${field}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
}

/** `202 x 1,234, 503 x 5`. */
export function statusLine(statuses: Statuses): string {
  return [...statuses]
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    .map(([status, times]) => `${status} x ${times.toLocaleString("en")}`)
    .join(", ");
}
