import type { Content } from "../../db/contract/contents.ts";
import type { Narrowed } from "../../db/contract/views.ts";
import { recordView, watchedItem } from "../../db/redis/records.ts";
import type { HistoryRow } from "../../db/rows.ts";
import type { ContentLookup } from "./contents.ts";

/** Rows of Postgres as items, in their order, with what the catalogue says of them now. */
export type WithContents = (rows: readonly HistoryRow[]) => Promise<Narrowed[]>;

export function rowsWithContents(contents: ContentLookup): WithContents {
  return async function withContents(rows) {
    const known = await contents(rows);
    return rows.map((row) => {
      const content = known.get(row.content_id) ?? null;
      return { progress: watchedItem(row, content), record: shownOf(content) };
    });
  };
}

function shownOf(content: Content | null): Narrowed["record"] {
  return content === null || content.removed ? null : recordView(content);
}
