import type { Alternative } from "../../contract/dimensions.ts";
import type { UserId } from "../../contract/ids.ts";
import type { PackedRecord } from "../records.ts";

export const MODELS = ["redisearch", "sorted-sets", "json-array"] as const;
export type ModelName = (typeof MODELS)[number];

/**
 * One way to keep the records of a user so that dimensions find them. Heartbeats never touch it: what is in here
 * changes with the catalogue, and when items come and go.
 *
 * Its Lua fills in the table `index`; `prefix` is what `prefix()` gave for the user:
 *
 *   reading  current()                        what views must carry to be of this index
 *            alive()                          an error when the index is lost
 *            matching(prefix, at)             the ids of what fulfils the filter in ARGV from `at` on
 *            views(prefix, ids)               of each id what is shown, as JSON, or false
 *            values(prefix, ids, dimension)   of each id text in which every run of hex is a value, or false
 *   writing  put(prefix, user, id, argument)  a record takes the place of an earlier one
 *            remove(prefix, id)
 *            flush(prefix)                    what was put and removed is written, where that is not done at once
 *   drop     drop(prefix, ids)                all that is kept of a user, also when another model is in use by now;
 *                                             returns how many records there were
 */
export type IndexModel = {
  name: ModelName;
  prefix: (user: UserId) => string;
  /** A record as the argument that `put` takes. */
  recordArgument: (record: PackedRecord) => string;
  /** The filter as the arguments that `matching` takes. */
  filterArguments: (user: UserId, alternatives: readonly Alternative[]) => string[];
  lua: { reading: string; writing: string; drop: string };
};
