import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Measured } from "../figure.ts";
import { plot } from "./svg.ts";
import { markdownTable } from "./table.ts";

/** Writes `latest.json`, `latest.svg` and `latest.md`. */
export function writeReport(dir: string, figures: readonly Measured[], run: Run): void {
  mkdirSync(dir, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write("latest.json", `${JSON.stringify({ ...run, figures }, null, 2)}\n`);
  write("latest.svg", plot(figures));
  write("latest.md", markdownTable(figures, inWords(run)));
}

/** Where and when: without it a number says nothing. */
export function thisRun(quick: boolean): Run {
  return {
    at: new Date().toISOString(),
    quick,
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The same in a sentence. */
export function inWords({ at, quick, node, cpu, cores, loadBefore }: Run): string {
  const kind = quick ? "A smoke run" : "Run";
  const machine = `${cores} cores (${cpu}) shared by clients, servers and stores`;
  return `${kind} of ${at} on ${machine}, Node ${node.slice(1)}, load before it ${loadBefore.toFixed(1)}.`;
}

export type Run = {
  at: string;
  quick: boolean;
  node: string;
  cpu: string;
  cores: number;
  /** Load average of the minute before: others on the machine. */
  loadBefore: number;
};
