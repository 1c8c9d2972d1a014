import type { Measured, Reach } from "../figure.ts";

/** `>= 0.5`, `<= 50 ms`. */
export function reachInWords({ reach, beside }: Pick<Measured, "reach" | "beside">): string {
  return `${"least" in reach ? "≥" : "≤"} ${bound(reach)}${beside === null ? " ms" : ""}`;
}

/** `0.52`, `17.7`, `12 ms`. */
export function valueInWords({ value, beside }: Pick<Measured, "value" | "beside">): string {
  return beside === null ? `${round(value)} ms` : round(value);
}

/** A side in the figure's unit: `12,345`. */
export function round(value: number): string {
  const digits = Math.abs(value) < 1 ? 3 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** How far the reach was reached: 1 is just. */
export function shareOfReach({ value, reach }: Pick<Measured, "value" | "reach">): number {
  return value / bound(reach);
}

function bound(reach: Reach): number {
  return "least" in reach ? reach.least : reach.most;
}
