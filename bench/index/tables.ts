import { MODELS } from "../../db/redis/index/model.ts";
import { round } from "../report/words.ts";
import type { Comparison } from "./compare.ts";
import type { Cell } from "./queries.ts";
import { SHAPE_NAMES } from "./shapes.ts";
import { COLUMNS } from "./side.ts";
import type { Verdict } from "./verdicts.ts";
import { SIZES, type Size } from "./viewers.ts";

/** A heading, and rows of text of which the first names the columns. */
export type Table = { title: string; rows: string[][] };

export function tablesOf(comparison: Comparison): Table[] {
  return [
    ...SIZES.map((size) => queryTable(size, comparison)),
    writeTable(comparison),
    memoryTable(comparison),
    verdictTable(comparison),
  ];
}

/** `reached  p50 of ..., 200 items: 1.68 times (≤ 2)` */
export function verdictLine({ promise, value, most, unit, where, reached }: Verdict): string {
  const place = where === null ? "" : ` (${where})`;
  return `${reached ? "reached" : "MISSED "}  ${promise}: ${round(value)} ${unit}${place}, reach ≤ ${most} ${unit}`;
}

function queryTable(size: Size, { cells, records }: Comparison): Table {
  const rows = SHAPE_NAMES.map((shape) => {
    const own = cells.filter((cell) => cell.size === size && cell.shape === shape);
    return [
      shape,
      ...COLUMNS.map((column) => timesOf(own.find((cell) => cell.column === column))),
      (own[0]?.found ?? 0).toFixed(1),
    ];
  });
  return {
    title:
      `Users with ${whole(size)} items: p50 / p99 in ms in a store of ${whole(records.large)} records, and the p50 ` +
      `as a multiple of that with ${whole(records.small)}`,
    rows: [["query", ...COLUMNS, "items found"], ...rows],
  };
}

function timesOf(cell: Cell | undefined): string {
  return cell ? `${round(cell.p50)} / ${round(cell.p99)} ×${cell.growth.toFixed(2)}` : "-";
}

function writeTable({ writes }: Comparison): Table {
  const head = [
    ...["one write", "items", "model", "commands", "bytes", "commands in the script", "script µs"],
    ...["bytes to disk", "answered µs"],
  ];
  const rows = writes.map((its) => [
    ...[its.write, whole(its.size), its.model, whole(its.commands), whole(its.bytes), round(its.inside)],
    ...[whole(its.scriptMicroseconds), whole(its.diskBytes), whole(its.answeredMicroseconds)],
  ]);
  return { title: "The cost of one write", rows: [head, ...rows] };
}

function memoryTable({ footprints }: Comparison): Table {
  const rows = SIZES.map((size) => [
    whole(size),
    ...MODELS.map((model) => {
      const own = footprints[model].find((footprint) => footprint.size === size);
      return own ? `${round(own.bytes / 1_024)} KiB, ${whole(own.keys)} keys` : "-";
    }),
  ]);
  return { title: "Memory and keys of one user", rows: [["items", ...MODELS], ...rows] };
}

function verdictTable({ verdicts }: Comparison): Table {
  const promises = [...new Set(verdicts.map(({ promise }) => promise))];
  const rows = promises.map((promise) => {
    const own = verdicts.filter((verdict) => verdict.promise === promise);
    const values = MODELS.map((name) => reachedBy(own.find(({ model }) => model === name)));
    return [promise, `≤ ${own[0]?.most} ${own[0]?.unit}`, ...values];
  });
  return {
    title: "What is promised of the default, by every model",
    rows: [["", "reach", ...MODELS], ...rows],
  };
}

function reachedBy(verdict: Verdict | undefined): string {
  return verdict ? `${round(verdict.value)}${verdict.reached ? "" : " (missed)"}` : "-";
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
