import type { Beat } from "./beat.ts";
import type { Random } from "./random.ts";
import type { Story } from "./story.ts";
import type { Delivery, Placed } from "./traffic.ts";

export const OUT_OF_ORDER = 0.01;
export const DUPLICATED = 0.01;
export const OFFLINE = 0.05;

const OFFLINE_BEATS = { least: 5, most: 20 };
/** So many beats after the device went offline does it come back, at most. */
export const LONGEST_OFFLINE = 60;

/** What a device reported only later, all at once: a run of its beats. `back` is the slot in which it comes back. */
export type Stretch = { beats: Beat[]; back: number };

/** `late`: it may come later than all else. */
export type MayBeLate = Placed & { late: boolean };

/** Places every beat: at its time, late, again, or in the batch of a device that was offline. */
export function placeBeats({ beats }: Story, stretches: readonly Stretch[], random: Random): MayBeLate[] {
  const placed: MayBeLate[] = stretches.map(({ beats, back }) => ({
    slot: back,
    delivery: { kind: "beats", beats, batch: true },
    late: true,
  }));
  const offline = new Set(stretches.flatMap(({ beats }) => beats));
  let slot = 0;
  for (const [index, beat] of beats.entries()) {
    // Two devices at the very same moment send side by side.
    if (beat.at !== beats[index - 1]?.at) slot = index;
    const delivery: Delivery = { kind: "beats", beats: [beat], batch: false };
    if (!offline.has(beat)) {
      const after = random.chance(OUT_OF_ORDER) ? random.between(2, 6) : 0;
      placed.push({ slot: slot + after, delivery, late: false });
    }
    if (random.chance(DUPLICATED)) placed.push({ slot: slot + againAfter(random), delivery, late: true });
  }
  return placed;
}

/** So many slots after the first time is it sent again. */
export function againAfter(random: Random): number {
  return random.pick([0, 1, random.between(2, LONGEST_OFFLINE)]);
}

/** Which beats a device reported only later, all at once: runs of beats of one device. */
export function offlineStretches(beats: readonly Beat[], random: Random): Stretch[] {
  const stretches: Stretch[] = [];
  const offline = new Set<Beat>();
  const start = OFFLINE / ((OFFLINE_BEATS.least + OFFLINE_BEATS.most) / 2);
  for (const [index, beat] of beats.entries()) {
    if (offline.has(beat) || !random.chance(start)) continue;
    const length = random.between(OFFLINE_BEATS.least, OFFLINE_BEATS.most);
    const run: Beat[] = [];
    let end = index;
    for (let at = index; at < beats.length && run.length < length; at++) {
      const next = beats[at];
      if (next?.device !== beat.device || offline.has(next)) continue;
      run.push(next);
      end = at;
      offline.add(next);
    }
    stretches.push({ beats: run, back: end + random.between(1, LONGEST_OFFLINE) });
  }
  return stretches;
}
