import type { World } from "./servers/world.ts";

/** What is promised of a figure: a ratio of at least, or of at most, so much (milliseconds where nothing is beside it). */
export type Reach = { least: number } | { most: number };

/** One line of the table. */
export type Figure = {
  name: string;
  /** What is measured. */
  measured: string;
  /** What it is measured beside, in the same rounds; null for a plain time. */
  beside: string | null;
  unit: string;
  reach: Reach;
};

/** A figure as it was measured. */
export type Measured = Figure & {
  /** The median of the rounds' ratios; the time itself where nothing is beside it. */
  value: number;
  reached: boolean;
  /** Medians of both sides, in the figure's unit: they belong to this machine at that hour. */
  ours: number;
  theirs: number | null;
  rounds: Round[];
  /** Under what it was measured, where that was itself measured. */
  note?: string;
};

export type Round = { ours: number; theirs: number | null };

/** Figures that are measured in the same rounds. */
export type Experiment = {
  name: string;
  figures: readonly Figure[];
  run(world: World, options: RunOptions): Promise<Measured[]>;
};

export type RunOptions = {
  /** A smoke run: small and short, good for nothing but to see that it works. */
  quick: boolean;
  /** Tells what is going on. */
  say: (line: string) => void;
};

/** A figure out of its rounds. */
export function measured(figure: Figure, rounds: readonly Round[]): Measured {
  const ours = median(rounds.map((round) => round.ours));
  const theirs = figure.beside === null ? null : median(rounds.map((round) => round.theirs ?? Number.NaN));
  const value = median(
    rounds.map((round) => (round.theirs === null ? round.ours : round.ours / round.theirs)),
  );
  const { reach } = figure;
  const reached = "least" in reach ? value >= reach.least : value <= reach.most;
  return { ...figure, value, reached, ours, theirs, rounds: [...rounds] };
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Linear between neighbours. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
