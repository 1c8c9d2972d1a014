import { round as shortly } from "./report/words.ts";

/**
 * Measures several sides in turns, A B, B A, A B, ...: whatever else this machine does meanwhile falls on all of
 * them alike. One round first, unmeasured: code is compiled, caches are filled, pages are touched.
 */
export async function interleaved<Side extends string>(
  rounds: number,
  sides: Record<Side, (round: number) => Promise<number>>,
  say: (line: string) => void,
): Promise<Record<Side, number>[]> {
  const names = Object.keys(sides) as Side[];
  const seen: Record<Side, number>[] = [];
  for (let round = 0; round <= rounds; round++) {
    const values = {} as Record<Side, number>;
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      values[name] = await sides[name](round);
    }
    const shown = names.map((name) => `${name} ${shortly(values[name])}`).join("  ");
    say(round === 0 ? `warm-up  ${shown}` : `round ${round} of ${rounds}  ${shown}`);
    if (round > 0) seen.push(values);
  }
  return seen;
}
