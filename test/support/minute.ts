import { until } from "./until.ts";

/** So long a test of the limits may take. */
const ENOUGH_MS = 10_000;

/** Waits until what begins now ends in the same minute: in the next one there is room again. */
export async function withinOneMinute(): Promise<void> {
  const what = "a minute that is not about to end";
  await until(() => Date.now() % 60_000 < 60_000 - ENOUGH_MS, { timeout: ENOUGH_MS + 1_000, what });
}
