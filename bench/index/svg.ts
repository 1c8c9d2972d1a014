import { LIGHT_AND_DARK } from "../report/svg.ts";
import type { Comparison } from "./compare.ts";
import type { Cell } from "./queries.ts";
import { SHAPE_NAMES, type Shape } from "./shapes.ts";
import { COLUMNS } from "./side.ts";
import { SIZES, type Size } from "./viewers.ts";

const WIDTH = 920;
const LEFT = 24;
const TOP = 92;
const ROW = 50;
const LABELS = 170;
const GAP = 32;
const PANEL = (WIDTH - LEFT * 2 - LABELS - GAP * SIZES.length) / SIZES.length;
const BOTTOM = TOP + SHAPE_NAMES.length * ROW;
/** A lane a column, within the row of a shape. */
const LANE = 9;
const REACH_MS = 1;

/**
 * A panel for each size of history, a row for each shape of query, and in it a dot for each column: its p50, on a
 * logarithmic scale that all panels share, with a thin line up to its p99.
 */
export function plotComparison({ cells, records }: Comparison): string {
  const scale = scaleFor(cells);
  const height = BOTTOM + 56;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img"
  aria-label="p50 of every query shape by model" font-family="system-ui, sans-serif" font-size="13">
  <style>${LIGHT_AND_DARK}
    .grid { stroke: #d5dae0 } .redisearch { fill: #b8621b; stroke: #b8621b }
    .sorted-sets { fill: #2f7d4f; stroke: #2f7d4f }
    .json-array { fill: #6a5acd; stroke: #6a5acd } .postgres { fill: #59636e; stroke: #59636e }
    @media (prefers-color-scheme: dark) {
      .grid { stroke: #2c333b } .redisearch { fill: #e08a3c; stroke: #e08a3c }
      .sorted-sets { fill: #4cb079; stroke: #4cb079 }
      .json-array { fill: #a99bf5; stroke: #a99bf5 } .postgres { fill: #9aa4af; stroke: #9aa4af }
    }
  </style>
  <rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>
  <text class="text" x="${LEFT}" y="28" font-size="15" font-weight="600">One query, p50 (dot) to p99 (line), in ms, ${records.large.toLocaleString("en")} records</text>
${COLUMNS.map(legend).join("\n")}
${SHAPE_NAMES.map(label).join("\n")}
${SIZES.map((size) => panel(size, cells, scale)).join("\n")}
  <text class="quiet" x="${LEFT}" y="${height - 14}">Logarithmic; left is better. Dashed: ${REACH_MS} ms, the reach of the p50 at 200 items.</text>
</svg>
`;
}

function legend(column: string, nth: number): string {
  const x = LEFT + nth * 120;
  return `  <circle class="${column}" cx="${x + 5}" cy="48" r="4"/>
  <text class="text" x="${x + 15}" y="52">${column}</text>`;
}

function label(shape: Shape, nth: number): string {
  return `  <text class="text" x="${LEFT}" y="${TOP + nth * ROW + ROW / 2 + 4}">${shape}</text>`;
}

function panel(size: Size, cells: readonly Cell[], scale: Scale): string {
  const left = LEFT + LABELS + SIZES.indexOf(size) * (PANEL + GAP);
  const x = (ms: number) => (left + scale.share(ms) * PANEL).toFixed(1);
  const lines = scale.ticks.map((ms) => {
    const dashes = ms === REACH_MS && size === 200 ? `class="line" stroke-dasharray="4 3"` : `class="grid"`;
    return `  <line ${dashes} x1="${x(ms)}" x2="${x(ms)}" y1="${TOP - 6}" y2="${BOTTOM}"/>
  <text class="quiet" x="${x(ms)}" y="${BOTTOM + 16}" text-anchor="middle" font-size="11">${ms}</text>`;
  });
  const dots = cells
    .filter((cell) => cell.size === size)
    .map(({ shape, column, p50, p99 }) => {
      const lane = COLUMNS.indexOf(column) - (COLUMNS.length - 1) / 2;
      const y = TOP + SHAPE_NAMES.indexOf(shape) * ROW + ROW / 2 + lane * LANE;
      return `  <line class="${column}" x1="${x(p50)}" x2="${x(p99)}" y1="${y}" y2="${y}" stroke-opacity="0.45"/>
  <circle class="${column}" cx="${x(p50)}" cy="${y}" r="3.5"/>`;
    });
  const title = `${size.toLocaleString("en")} items`;
  return [
    `  <text class="text" x="${left}" y="${TOP - 14}" font-weight="600">${title}</text>`,
    ...lines,
    ...dots,
  ].join("\n");
}

/** Half decades around everything that is drawn, with a tick at each whole one. */
function scaleFor(cells: readonly Cell[]): Scale {
  const from = Math.floor(Math.log10(Math.min(...cells.map(({ p50 }) => p50))) * 2) / 2;
  const till = Math.ceil(Math.log10(Math.max(...cells.map(({ p99 }) => p99))) * 2) / 2;
  const first = Math.ceil(from);
  return {
    share: (ms) => (Math.log10(ms) - from) / (till - from),
    ticks: Array.from({ length: Math.floor(till) - first + 1 }, (_, n) =>
      Number((10 ** (first + n)).toPrecision(1)),
    ),
  };
}

type Scale = { share: (ms: number) => number; ticks: number[] };
