import { jsonArray } from "./json-array.ts";
import type { IndexModel, ModelName } from "./model.ts";
import { redisearch } from "./redisearch.ts";
import { sortedSets } from "./sorted-sets.ts";

/** Every model by its name. To read and to drop, both generations of the search module are alike. */
export const INDEX_MODELS: Record<ModelName, IndexModel> = {
  redisearch: redisearch(2),
  "sorted-sets": sortedSets,
  "json-array": jsonArray,
};
