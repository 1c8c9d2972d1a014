import type { ModelName } from "../../db/redis/index/model.ts";
import type { Cell } from "./queries.ts";

/** What is promised of the default model, as every model keeps it. */
export type Verdict = {
  promise: string;
  model: ModelName;
  /** At most so much is the reach. */
  most: number;
  unit: "times" | "ms";
  value: number;
  /** Where the value was the highest, if more than one place counts. */
  where: string | null;
  reached: boolean;
};

export function verdictsOf(model: ModelName, cells: readonly Cell[]): Verdict[] {
  const own = cells.filter(({ column }) => column === model);
  const usual = own.filter(({ size }) => size === 200);
  const p50 = (shape: Cell["shape"]) => usual.find((cell) => cell.shape === shape)?.p50 ?? Number.NaN;
  const beside = p50("sport + series") / p50("unfiltered page");
  const slowest = highest(usual, (cell) => cell.p50);
  const steepest = highest(own, (cell) => cell.growth);
  return [
    verdict(model, {
      ...{ promise: "p50 of sport + series beside the plain page of 50, 200 items", most: 2, unit: "times" },
      ...{ value: beside, where: null },
    }),
    verdict(model, {
      ...{ promise: "p50 of the slowest shape, 200 items", most: 1, unit: "ms" },
      ...{ value: slowest.p50, where: slowest.shape },
    }),
    verdict(model, {
      ...{
        promise: "p50 with ten times the records of others, the steepest shape",
        most: 1.5,
        unit: "times",
      },
      ...{ value: steepest.growth, where: `${steepest.shape}, ${steepest.size.toLocaleString("en")} items` },
    }),
  ];
}

function verdict(model: ModelName, its: Omit<Verdict, "model" | "reached">): Verdict {
  return { ...its, model, reached: its.value <= its.most };
}

function highest(cells: readonly Cell[], of: (cell: Cell) => number): Cell {
  return cells.reduce((most, cell) => (of(cell) > of(most) ? cell : most));
}
