import type { ContentResult } from "../../db/contract/bulk.ts";
import { type ListedContent, ListedContentInput } from "../../db/contract/contents.ts";
import { ContentId } from "../../db/contract/ids.ts";
import { faultsOf } from "../../db/contract/refusals.ts";

/** A content that can be stored, or what to answer instead. */
export type Examined = { content: ListedContent } | { rejected: ContentResult };

/** Checks one content of many; `at` is where it stands among them. */
export function examineContent(raw: unknown, at: readonly PropertyKey[] = []): Examined {
  const { success, data, error } = ListedContentInput.safeParse(raw);
  if (success) return { content: data };
  const named = typeof raw === "object" && raw !== null && "content_id" in raw ? raw.content_id : null;
  const content_id = ContentId.safeParse(named).data ?? null;
  return { rejected: { content_id, status: "rejected", errors: faultsOf(error.issues, at) } };
}
