import type { Content } from "../../db/contract/contents.ts";
import type { ModelName } from "../../db/redis/index/model.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { project } from "../../ingest/views/project.ts";
import { median } from "../figure.ts";
import { oneOf, randomFrom } from "../random.ts";
import type { Arena } from "./arena.ts";
import type { Catalogue } from "./catalogue.ts";
import { countersOf, since } from "./counters.ts";
import { HISTORY_LIMIT } from "./redis-fill.ts";
import type { RedisStore } from "./redis-store.ts";
import { type Crowd, rowOf, SIZES, type Size } from "./viewers.ts";

export const WRITES = ["heartbeat", "new item"] as const;
export type Write = (typeof WRITES)[number];

/** One row projected alone, on average; the times are medians of the rounds. */
export type WriteCost = {
  write: Write;
  size: Size;
  model: ModelName;
  /** What the client sends. */
  commands: number;
  bytes: number;
  /** What the script calls. */
  inside: number;
  /** How long the script holds Redis. */
  scriptMicroseconds: number;
  /** What comes into the append-only file. */
  diskBytes: number;
  /** Until it is answered, and so on disk. */
  answeredMicroseconds: number;
};

/** Every model gets the same rows in the same rounds, and its file is not rewritten meanwhile. */
export async function measureWrites(
  { models, crowds, catalogue }: Arena,
  { rounds, writesEach }: { rounds: number; writesEach: number },
  say: (line: string) => void,
): Promise<WriteCost[]> {
  for (const { redis } of models) await redis.config("SET", "auto-aof-rewrite-percentage", "0");
  const seen = new Map<string, Cost[]>();
  const rowsFor = rowSource(catalogue);
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? "writes: warm-up" : `writes: round ${round} of ${rounds}`);
    for (const size of SIZES) {
      for (const write of WRITES) {
        const rows = rowsFor(write, crowds.large[size], writesEach);
        for (const store of round % 2 === 0 ? models : models.toReversed()) {
          const cost = await costOf(store, rows, catalogue);
          if (round === 0) continue;
          const key = keyOf(write, size, store.model);
          seen.set(key, [...(seen.get(key) ?? []), cost]);
        }
      }
    }
  }
  const kinds = WRITES.flatMap((write) => SIZES.map((size) => ({ write, size })));
  return kinds.flatMap(({ write, size }) =>
    models.map(({ model }) => ({
      write,
      size,
      model,
      ...summary(seen.get(keyOf(write, size, model)) ?? []),
    })),
  );
}

/** What was counted and timed in one round. */
type Cost = Omit<WriteCost, "write" | "size" | "model">;

async function costOf(
  { redis, index }: RedisStore,
  rows: readonly HistoryRow[],
  { byId }: Catalogue,
): Promise<Cost> {
  const contents = async () => byId;
  const deps = { redis, index, contents, historyLimit: HISTORY_LIMIT };
  const times: number[] = [];
  const before = await countersOf(redis);
  for (const row of rows) {
    const start = performance.now();
    await project(deps, { rows: [row], cleared: new Map() });
    times.push((performance.now() - start) * 1_000);
  }
  const { own, ...whole } = since(before, await countersOf(redis));
  const each = (value: number) => value / rows.length;
  return {
    commands: each(whole.commands),
    bytes: each(whole.bytes - own),
    inside: each(whole.inside),
    scriptMicroseconds: each(whole.scriptMicroseconds),
    diskBytes: each(whole.diskBytes),
    answeredMicroseconds: median(times),
  };
}

/** Counts are about the same in every round; times are not. */
function summary(costs: readonly Cost[]): Cost {
  const all = (name: keyof Cost) => costs.map((cost) => cost[name]);
  const mean = (name: keyof Cost) => all(name).reduce((sum, value) => sum + value, 0) / costs.length;
  return {
    commands: mean("commands"),
    bytes: mean("bytes"),
    inside: mean("inside"),
    scriptMicroseconds: median(all("scriptMicroseconds")),
    diskBytes: mean("diskBytes"),
    answeredMicroseconds: median(all("answeredMicroseconds")),
  };
}

function keyOf(write: Write, size: Size, model: ModelName): string {
  return [write, size, model].join("/");
}

/** Heartbeats of what was watched lately, and items that the user did not have; each newer than all before. */
function rowSource({ contents }: Catalogue) {
  const random = randomFrom(7);
  const added = new Map<string, Set<Content>>();
  let minutes = HISTORY_LIMIT;
  let rev = 1;
  return (write: Write, { viewers }: Crowd, count: number): HistoryRow[] =>
    Array.from({ length: count }, () => {
      const { user, watched } = oneOf(viewers, random);
      if (write === "heartbeat") {
        return rowOf(user, oneOf(watched.slice(watched.length / 2), random), ++minutes, { rev: ++rev });
      }
      const known = added.get(user) ?? new Set(watched);
      added.set(user, known);
      let content = oneOf(contents, random);
      while (known.has(content)) content = oneOf(contents, random);
      known.add(content);
      return rowOf(user, content, ++minutes);
    });
}
