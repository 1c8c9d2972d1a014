import { median, percentile } from "../figure.ts";
import { randomFrom } from "../random.ts";
import type { Arena } from "./arena.ts";
import { type Ask, askOf, SHAPE_NAMES, type Shape } from "./shapes.ts";
import { COLUMNS, type Column, idOf, type Side, STORES, type StoreName } from "./side.ts";
import { SIZES, type Size } from "./viewers.ts";

/** One shape of query, for users of one size, in one column. Times are in ms. */
export type Cell = {
  shape: Shape;
  size: Size;
  column: Column;
  /** In the large store. */
  p50: number;
  p99: number;
  samples: number;
  /** Items that an answer held, on average. */
  found: number;
  /** In the small store, and how many times that the large one takes. */
  smallP50: number;
  growth: number;
};

/**
 * Asks every side one question at a time on a connection of its own, all columns the same ones, a few in a row and
 * then the next side, there and back: whatever else this machine does meanwhile falls on all of them alike. One
 * round comes first that is not measured; in it all columns must find the same.
 */
export async function measureQueries(
  { sides, crowds }: Arena,
  { rounds, asks }: { rounds: number; asks: Record<StoreName, number> },
  say: (line: string) => void,
): Promise<Cell[]> {
  const lines = SIZES.flatMap((size) => SHAPE_NAMES.map((shape) => ({ size, shape, seen: emptyTally() })));
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? "queries: every side finds the same" : `queries: round ${round} of ${rounds}`);
    for (const [nth, { size, shape, seen }] of lines.entries()) {
      const random = randomFrom(round * 1_009 + nth);
      const draw = (store: StoreName, count: number) =>
        Array.from({ length: count }, () => askOf(shape, crowds[store][size], random));
      if (round === 0) {
        for (const store of STORES) await checkSame(sidesOf(sides, store), draw(store, CHECKED));
        continue;
      }
      const drawn = { small: draw("small", asks.small + 1), large: draw("large", asks.large + 1) };
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        await timed(side, drawn[side.store], seen[side.column]);
      }
    }
  }
  return lines.flatMap(({ size, shape, seen }) =>
    COLUMNS.map((column) => ({ shape, size, column, ...summary(seen[column]) })),
  );
}

const CHECKED = 10;

/** Times by store, and items found in the large one. */
type Tally = Record<StoreName, number[]> & { found: number };

function emptyTally(): Record<Column, Tally> {
  const empty = () => ({ small: [], large: [], found: 0 });
  return { redisearch: empty(), "sorted-sets": empty(), "json-array": empty(), postgres: empty() };
}

function summary({ small, large, found }: Tally): Omit<Cell, "shape" | "size" | "column"> {
  const [p50, smallP50, samples] = [median(large), median(small), large.length];
  return {
    ...{ p50, p99: percentile(large, 0.99), samples, found: found / samples, smallP50 },
    growth: p50 / smallP50,
  };
}

/** The first of a turn wakes the server up, and is not counted. */
async function timed({ ask, store }: Side, [first, ...asks]: readonly Ask[], seen: Tally): Promise<void> {
  if (first) await ask(first);
  for (const each of asks) {
    const start = performance.now();
    const found = await ask(each);
    seen[store].push(performance.now() - start);
    if (store === "large") seen.found += found.length;
  }
}

/** Who is fast but finds something else is not compared. */
async function checkSame(sides: readonly Side[], asks: readonly Ask[]): Promise<void> {
  for (const each of asks) {
    const answers = new Map<string, Column>();
    for (const { column, ask } of sides) answers.set((await ask(each)).map(idOf).join(), column);
    if (answers.size > 1 || answers.has("")) {
      throw new Error(`${[...answers.values()].join(" and ")} find otherwise: ${JSON.stringify(each)}`);
    }
  }
}

function sidesOf(sides: readonly Side[], store: StoreName): Side[] {
  return sides.filter((side) => side.store === store);
}
