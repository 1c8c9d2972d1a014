import type { Measured } from "../figure.ts";
import { reachInWords, shareOfReach, valueInWords } from "./words.ts";

const WIDTH = 860;
const ROW = 46;
const TOP = 56;
const LEFT = 24;
const BAR_LEFT = 190;
/** Where every row's reach is drawn, so that one line goes through all of them. */
const REACH_AT = 420;
const BAR_MOST = 700;

/** The ground and the words of every plot, light or dark as the reader's screen is. */
export const LIGHT_AND_DARK = `
    .ground { fill: #ffffff } .text { fill: #1f2328 } .quiet { fill: #59636e } .line { stroke: #59636e }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #14181d } .text { fill: #e6edf3 } .quiet { fill: #9aa4af } .line { stroke: #9aa4af }
    }`;

/**
 * A bar for each figure, scaled so that all reaches stand on one line. It brings its own ground, light or dark as
 * the reader's screen is.
 */
export function plot(figures: readonly Measured[]): string {
  const height = TOP + figures.length * ROW + 34;
  const foot = height - 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img"
  aria-label="Each figure beside its reach" font-family="system-ui, sans-serif" font-size="13">
  <style>${LIGHT_AND_DARK}
    .reached { fill: #2f7d4f } .missed { fill: #b8621b }
    @media (prefers-color-scheme: dark) {
      .reached { fill: #4cb079 } .missed { fill: #e08a3c }
    }
  </style>
  <rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>
  <text class="text" x="${LEFT}" y="28" font-size="15" font-weight="600">Measured beside its reach</text>
  <text class="quiet" x="${REACH_AT}" y="${TOP - 10}" text-anchor="middle">reach</text>
${figures.map(row).join("\n")}
  <line class="line" x1="${REACH_AT}" x2="${REACH_AT}" y1="${TOP - 4}" y2="${foot - 18}" stroke-dasharray="4 3"/>
  <text class="quiet" x="${LEFT}" y="${foot}">≥: right of the line is better. ≤: left of it is. Green: reached.</text>
</svg>
`;
}

function row(figure: Measured, index: number): string {
  const y = TOP + index * ROW + 6;
  const full = (REACH_AT - BAR_LEFT) * shareOfReach(figure);
  const width = Math.max(2, Math.min(full, BAR_MOST - BAR_LEFT));
  const value = `${valueInWords(figure)}${full > width ? " »" : ""}`;
  return `  <text class="text" x="${LEFT}" y="${y + 16}">${figure.name}</text>
  <text class="quiet" x="${LEFT}" y="${y + 31}" font-size="11">${reachInWords(figure)}</text>
  <rect class="${figure.reached ? "reached" : "missed"}" x="${BAR_LEFT}" y="${y + 5}" width="${width.toFixed(1)}" height="22" rx="3"/>
  <text class="text" x="${Math.round(Math.max(BAR_LEFT + width, REACH_AT)) + 10}" y="${y + 21}" font-weight="600">${value}</text>`;
}
