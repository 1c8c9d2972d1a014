import type { Deed, Mark } from "./deeds.ts";
import { againAfter, LONGEST_OFFLINE, type MayBeLate, type Stretch } from "./place-beats.ts";
import type { Random } from "./random.ts";
import type { Story } from "./story.ts";
import type { Delivery } from "./traffic.ts";

/** Deeds are few, so more of them than of beats meet with something. */
export const DEEDS_OUT_OF_ORDER = 0.1;
export const DEEDS_AGAIN = 0.1;
/** Of what is done while the device plays nothing; while it plays, it is offline as its beats are. */
export const DEEDS_OFFLINE = 0.1;
/** Of marks that are alone. */
const BATCH_OF_ONE = 0.2;

/** Places every deed: what a device did at one moment is sent at its time, late, again, or once it is back. */
export function placeDeeds(
  { beats, deeds }: Story,
  stretches: readonly Stretch[],
  random: Random,
): MayBeLate[] {
  const placed: MayBeLate[] = [];
  for (const together of Map.groupBy(deeds, ({ at }) => at).values()) {
    const [first] = together;
    if (!first) continue;
    const next = beats.findIndex(({ at }) => at >= first.at);
    // Between two beats there is a slot of its own.
    const slot = (next < 0 ? beats.length : next) - (beats[next]?.at === first.at ? 0 : 0.5);
    const back =
      backFrom(first, stretches) ?? (random.chance(DEEDS_OFFLINE) ? backAfter(slot, random) : null);
    for (const delivery of deliveriesOf(together, back !== null, random)) {
      const after = random.chance(DEEDS_OUT_OF_ORDER) ? random.between(2, 6) : 0;
      placed.push({ slot: back ?? slot + after, delivery, late: back !== null });
      if (random.chance(DEEDS_AGAIN)) placed.push({ slot: slot + againAfter(random), delivery, late: true });
    }
  }
  return placed;
}

/** When its device comes back that was offline at the time. */
function backFrom({ at, device }: Deed, stretches: readonly Stretch[]): number | null {
  const its = stretches.find(({ beats: [first, ...rest] }) => {
    const last = rest.at(-1);
    return (
      first !== undefined && last !== undefined && first.device === device && first.at <= at && at <= last.at
    );
  });
  return its?.back ?? null;
}

function backAfter(slot: number, random: Random): number {
  return slot + random.between(1, LONGEST_OFFLINE);
}

/** Many marks are one request, and so are those that were saved up. */
function deliveriesOf(deeds: readonly Deed[], savedUp: boolean, random: Random): Delivery[] {
  const marks = deeds.filter((deed): deed is Mark => deed.kind === "mark");
  const dismissals = deeds.flatMap((deed): Delivery[] =>
    deed.kind === "dismissal" ? [{ kind: "dismissal", dismissal: deed }] : [],
  );
  if (marks.length === 0) return dismissals;
  const batch = savedUp || marks.length > 1 || random.chance(BATCH_OF_ONE);
  return [{ kind: "marks", marks, batch }, ...dismissals];
}
