import type { ContentId } from "../../db/contract/ids.ts";
import type { Narrowed, Progress } from "../../db/contract/views.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import type { Ask } from "./shapes.ts";

/** The models, and the same questions to Postgres. */
export const COLUMNS = ["redisearch", "sorted-sets", "json-array", "postgres"] as const;
export type Column = ModelName | "postgres";

/** A store of a tenth of the records, and the one that counts. */
export const STORES = ["small", "large"] as const;
export type StoreName = (typeof STORES)[number];

/** What can be asked: one column over one of the stores. */
export type Side = { column: Column; store: StoreName; ask: (ask: Ask) => Promise<readonly Found[]> };

/** A plain page shows progress alone. */
export type Found = Progress | Narrowed;

export function idOf(found: Found): ContentId {
  return "progress" in found ? found.progress.content_id : found.content_id;
}
