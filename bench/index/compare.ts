import { MODELS, type ModelName } from "../../db/redis/index/model.ts";
import type { RunOptions } from "../figure.ts";
import { type Extent, openArena } from "./arena.ts";
import { type Cell, measureQueries } from "./queries.ts";
import type { Footprint } from "./redis-fill.ts";
import type { StoreName } from "./side.ts";
import { type Verdict, verdictsOf } from "./verdicts.ts";
import { recordsIn } from "./viewers.ts";
import { measureWrites, type WriteCost } from "./writes.ts";

/** 20,000 records and 200,000, of users as they are: most have few items, and few have very many. */
const FULL: Extent = {
  small: { 20: 200, 200: 60, 2000: 2 },
  large: { 20: 2_000, 200: 600, 2000: 20 },
};
const QUICK: Extent = { small: { 20: 10, 200: 1, 2000: 1 }, large: { 20: 20, 200: 2, 2000: 1 } };

/** The models of the history index and Postgres side by side, on the same data in one run. */
export type Comparison = {
  /** What `HISTORY_INDEX=auto` chooses on a server that has everything. */
  default: ModelName;
  records: Record<StoreName, number>;
  cells: Cell[];
  writes: WriteCost[];
  footprints: Record<ModelName, Footprint[]>;
  verdicts: Verdict[];
};

export async function compareIndexes({ quick, say }: RunOptions): Promise<Comparison> {
  const [extent, queries, writing] = quick
    ? [QUICK, { rounds: 1, asks: { small: 3, large: 5 } }, { rounds: 1, writesEach: 3 }]
    : [FULL, { rounds: 13, asks: { small: 14, large: 40 } }, { rounds: 10, writesEach: 20 }];
  const arena = await openArena(extent, say);
  try {
    const cells = await measureQueries(arena, queries, say);
    const writes = await measureWrites(arena, writing, say);
    const { crowds, models, footprints } = arena;
    return {
      default: models.find(({ model }) => model === "redisearch")?.auto ?? "sorted-sets",
      records: { small: recordsIn(crowds.small), large: recordsIn(crowds.large) },
      ...{ cells, writes, footprints },
      verdicts: MODELS.flatMap((model) => verdictsOf(model, cells)),
    };
  } finally {
    await arena.stop();
  }
}
