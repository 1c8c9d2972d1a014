import * as z from "zod";
import { ContentId } from "./ids.ts";
import { type Cursor, limitParameter, parametersOf, type Query } from "./pages.ts";
import { checked, Refusal } from "./refusals.ts";
import { HistoryItem, historyItem, type Progress } from "./views.ts";

/** What became of one item: it is as told, or it is in the history no longer. */
export const Change = z.union([z.object({ content_id: ContentId, deleted: z.literal(true) }), HistoryItem]);
export type Change = z.infer<typeof Change>;

/** What changed since a cursor. */
export const Changes = z.object({
  changes: z.array(Change).describe("An item that changes again comes again"),
  cursor: z.string().describe("`since` of the next request"),
  has_more: z.boolean().describe("There is more to tell at once"),
  reset: z
    .literal(true)
    .optional()
    .describe("It starts from nothing: let go of everything that was told before"),
});
export type Changes = z.infer<typeof Changes>;

/**
 * How far a client is: everything up to the sequence is told. While it is given the list that it starts from, `after` is
 * how far that went.
 */
export type FeedCursor = { epoch: string; seq: number; after: Cursor | null };

/** Nothing else is taken. */
export const ChangesQuery = z.strictObject({
  since: z.string().max(400).default(""),
  limit: limitParameter({ usual: 100, most: 500 }),
});

export type ChangesRequest = { since: FeedCursor | null; limit: number };

/** The query string of the feed; an empty `since` starts from nothing. @throws Refusal `invalid_input` */
export function changesRequest(query: Query): ChangesRequest {
  const { since, limit } = checked(ChangesQuery, parametersOf(query));
  return { since: since === "" ? null : decodeFeedCursor(since), limit };
}

/** `epoch.sequence`, and `.time_content` behind it while a list is under way. */
export function encodeFeedCursor({ epoch, seq, after }: FeedCursor): string {
  return `${epoch}.${seq}${after ? `.${after.watched_at}_${after.content_id}` : ""}`;
}

const FEED_CURSOR = /^([\w~-]{1,80})\.(\d{1,15})(?:\.(\d{1,16})_(.+))?$/;

/** @throws Refusal `invalid_input` for what was never a cursor of ours. */
export function decodeFeedCursor(text: string): FeedCursor {
  const [, epoch, seq, time, id] = FEED_CURSOR.exec(text) ?? [];
  const content_id = ContentId.safeParse(id);
  if (epoch === undefined || (time !== undefined && !content_id.success)) {
    const errors = [{ path: "since", message: "not one of ours" }];
    throw new Refusal("invalid_input", "since: not one of ours", { errors });
  }
  const after = content_id.success ? { watched_at: Number(time), content_id: content_id.data } : null;
  return { epoch, seq: Number(seq), after };
}

/** An item that changed, as it is now; null when it is gone. */
export type Told = { content_id: ContentId; progress: Progress | null };

/** What there is to answer, up to a cursor. */
export type Feed = { told: readonly Told[]; cursor: FeedCursor; has_more: boolean; reset: boolean };

export function changesOf({ told, cursor, has_more, reset }: Feed): Changes {
  return {
    changes: told.map(({ content_id, progress }) =>
      progress ? historyItem(progress) : { content_id, deleted: true },
    ),
    cursor: encodeFeedCursor(cursor),
    has_more,
    ...(reset ? { reset: true } : {}),
  };
}
