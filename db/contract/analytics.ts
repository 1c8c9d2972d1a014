import * as z from "zod";
import { ContentId } from "./ids.ts";

/** Into so many parts the duration of a content is cut to say how far plays came. */
export const REACHED_BUCKETS = 20;

const Count = z.number().int();
const Share = z.number().min(0).max(1).nullable();

/** How a content is watched. Plays that were forgotten are not in it. */
export const ContentAnalytics = z.object({
  content_id: ContentId,
  viewers: Count.describe("Users with at least one play"),
  plays: Count,
  completions: Count.describe("Plays that came to the end"),
  completion_rate: Share.describe("Completions by plays; null before the first play"),
  drop_off: z
    .array(Count)
    .length(REACHED_BUCKETS)
    .describe("Plays by the furthest twentieth of the duration that they reached"),
  mean_watched_share: Share.describe(
    "Mean of the furthest share that plays reached, to within a fortieth; null while no duration is known",
  ),
});
export type ContentAnalytics = z.infer<typeof ContentAnalytics>;

/** @param counts by measure: viewers, plays, completions, and plays by `reached:0` to `reached:19`. */
export function contentAnalytics(
  content_id: ContentId,
  counts: ReadonlyMap<string, number>,
): ContentAnalytics {
  const count = (measure: string) => counts.get(measure) ?? 0;
  const [plays, completions] = [count("plays"), count("completions")];
  const drop_off = Array.from({ length: REACHED_BUCKETS }, (_, bucket) => count(`reached:${bucket}`));
  const measured = drop_off.reduce((sum, its) => sum + its, 0);
  // Of a play in a part no more is known than that it ended there: on the average, in its middle.
  const shares = drop_off.reduce((sum, its, bucket) => sum + (its * (bucket + 0.5)) / REACHED_BUCKETS, 0);
  return {
    content_id,
    viewers: count("viewers"),
    plays,
    completions,
    completion_rate: plays > 0 ? completions / plays : null,
    drop_off,
    mean_watched_share: measured > 0 ? shares / measured : null,
  };
}
