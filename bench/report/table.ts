import type { Measured } from "../figure.ts";
import { reachInWords, round, valueInWords } from "./words.ts";

/** The figures for a terminal. */
export function terminalTable(figures: readonly Measured[]): string {
  return aligned([["figure", "measured", "reach", "", "ours", "beside"], ...figures.map(cells)]);
}

/** Rows of text with their columns below each other. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

/** The same in Markdown, with what each figure is in words. */
export function markdownTable(figures: readonly Measured[], machine: string): string {
  const lines = figures.map(
    (figure) =>
      `| ${[
        figure.measured,
        figure.beside ?? "-",
        reachInWords(figure),
        `**${valueInWords(figure)}**${figure.reached ? "" : " (missed)"}`,
        sides(figure),
      ].join(" | ")} |`,
  );
  return [
    "| figure | beside | reach | measured | ours beside theirs, same rounds |",
    "|---|---|--:|--:|---|",
    ...lines,
    "",
    machine,
    "",
  ].join("\n");
}

/** Rows of which the first names the columns, in Markdown. */
export function markdownRows([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "--:"))), ...rows.map(line)].join(
    "\n",
  );
}

function cells(figure: Measured): string[] {
  const { name, reached, ours, theirs, unit } = figure;
  return [
    name,
    valueInWords(figure),
    reachInWords(figure),
    reached ? "reached" : "MISSED",
    `${round(ours)} ${unit}`,
    theirs === null ? (figure.note ?? "-") : `${round(theirs)} ${unit}`,
  ];
}

function sides({ ours, theirs, unit, note }: Measured): string {
  return theirs === null ? (note ?? "-") : `${round(ours)} beside ${round(theirs)} ${unit}`;
}
