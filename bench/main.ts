import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { accept } from "./accept/accept.ts";
import { distinctRows } from "./drain/distinct-rows.ts";
import { mix } from "./drain/mix.ts";
import { edgeRead } from "./edge/read.ts";
import { visible } from "./edge/visible.ts";
import type { Experiment, Measured, RunOptions } from "./figure.ts";
import { compareIndexes } from "./index/compare.ts";
import { terminalReport, writeComparison } from "./index/report.ts";
import { party } from "./party/party.ts";
import { thisRun, writeReport } from "./report/report.ts";
import { terminalTable } from "./report/table.ts";
import { startWorld } from "./servers/world.ts";

const EXPERIMENTS: readonly Experiment[] = [accept, edgeRead, visible, distinctRows, mix, party];
const RESULTS = fileURLToPath(new URL("results/", import.meta.url));

/**
 * `npm run bench`: every figure beside its comparison, measured in the same rounds of one run. `npm run bench -- index`
 * measures none of them, but the models of the history index beside each other; `npm run bench -- party` those of the
 * parties alone.
 *
 *     --only NAME  one experiment; may be given again
 *     --quick      a smoke run, good for nothing but to see that it works
 *     --out DIR    where the results go, instead of bench/results (a full run) or nowhere (any other)
 */
async function main(): Promise<void> {
  const { index, only, quick, out } = optionsOf(process.argv.slice(2));
  const run = thisRun(quick);
  const began = performance.now();
  const say = (line: string) => {
    const seconds = ((performance.now() - began) / 1_000).toFixed(0).padStart(4);
    process.stderr.write(`${seconds} s  ${line}\n`);
  };

  if (index) {
    const comparison = await compareIndexes({ quick, say });
    console.log(`\n${terminalReport(comparison)}\n`);
    if (out !== undefined) writeComparison(out, comparison, run);
  } else {
    const figures = await measureFigures(only, { quick, say });
    console.log(`\n${terminalTable(figures)}\n`);
    if (out !== undefined) writeReport(out, figures, run);
  }
  if (out !== undefined) console.log(`written to ${out}`);
}

async function measureFigures(only: readonly Experiment[], { quick, say }: RunOptions): Promise<Measured[]> {
  say("starting Postgres and Redis");
  const world = await startWorld();
  process.once("SIGINT", () => void world.stop().finally(() => process.exit(130)));
  const figures: Measured[] = [];
  try {
    for (const { name, run } of only) {
      figures.push(...(await run(world, { quick, say: (line) => say(`${name}: ${line}`) })));
    }
    return figures;
  } finally {
    await world.stop();
  }
}

function optionsOf(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      only: { type: "string", multiple: true, default: [] },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
    },
  });
  const others = positionals.filter((name) => name !== "index" && name !== "party");
  if (others.length > 0) throw new Error(`${others.join()}: not index, and not party`);
  const index = positionals.includes("index");
  if (positionals.includes("party")) values.only.push("party");
  if (index && values.only.length > 0) throw new Error("--only is for the figures, and index measures none");
  const known = EXPERIMENTS.map(({ name }) => name);
  const unknown = values.only.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`${unknown.join()}: not one of ${known.join(", ")}`);
  const whole = values.only.length === 0;
  return {
    index,
    quick: values.quick,
    only: EXPERIMENTS.filter(({ name }) => whole || values.only.includes(name)),
    out: values.out ?? (whole && !values.quick ? RESULTS : undefined),
  };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
