import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inWords, type Run } from "../report/report.ts";
import { aligned, markdownRows } from "../report/table.ts";
import type { Comparison } from "./compare.ts";
import { plotComparison } from "./svg.ts";
import { tablesOf, verdictLine } from "./tables.ts";

/** Writes `index.json`, `index.svg` and `index.md`. */
export function writeComparison(dir: string, comparison: Comparison, run: Run): void {
  mkdirSync(dir, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write("index.json", `${JSON.stringify({ ...run, ...comparison }, null, 2)}\n`);
  write("index.svg", plotComparison(comparison));
  write("index.md", markdown(comparison, inWords(run)));
}

/** All tables, and a line for each thing that is promised of the default model. */
export function terminalReport(comparison: Comparison): string {
  const tables = tablesOf(comparison).map(({ title, rows }) => `${title}\n\n${aligned(rows)}`);
  return [...tables, verdictLines(comparison)].join("\n\n");
}

function markdown(comparison: Comparison, machine: string): string {
  const tables = tablesOf(comparison).map(({ title, rows }) => `**${title}**\n\n${markdownRows(rows)}`);
  return [...tables, `\`\`\`\n${verdictLines(comparison)}\n\`\`\``, machine, ""].join("\n\n");
}

function verdictLines({ default: model, verdicts }: Comparison): string {
  const own = verdicts.filter((verdict) => verdict.model === model);
  return [`The default on this Redis is ${model}:`, ...own.map(verdictLine)].join("\n");
}
