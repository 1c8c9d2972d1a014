import { drained, emptied } from "../drain/backlog.ts";
import { mixedBeats } from "../drain/heartbeats.ts";
import { warm } from "../drain/warm.ts";
import { type Experiment, type Figure, measured, median, percentile, type Round } from "../figure.ts";
import { type Generator, startGenerator } from "../load/generator.ts";
import { round as shortly } from "../report/words.ts";
import { type Edge, startEdge } from "../servers/edge.ts";
import { startIngest } from "../servers/ingest.ts";
import type { Running } from "../servers/process.ts";
import { emptyWorld, settleDust, type World } from "../servers/world.ts";
import { probe } from "./probe.ts";

const figure: Figure = {
  name: "visible-p99",
  measured: "from the 202 to visible at the edge, p99, at half of what the drain can do",
  beside: null,
  unit: "ms",
  reach: { most: 250 },
};

const BATCH = 100;
const CONNECTIONS = 64;
const PROBES = 4;

/**
 * How long until a viewer sees what was accepted, while others write.
 *
 * First the drain's capacity, as `drain-mix` measures it. Then others send batches through ingest at half that
 * rate (each of ten titles, so that it folds about as the mix does), and meanwhile users write one heartbeat at a
 * time through the edge and ask the edge for it until it answers with it. The same ingest accepts and drains.
 */
export const visible: Experiment = {
  name: "visible",
  figures: [figure],
  async run(world, { quick, say }) {
    const [viewers, seconds, rounds] = quick ? [200, 1, 1] : [2_000, 5, 3];
    await emptyWorld(world);
    const generator = startGenerator();
    const ingest = await startIngest(world);
    const edge = await startEdge(world, ingest);
    try {
      await warm(ingest, viewers);
      const capacity = await capacityOf(world, ingest, { viewers, rounds });
      await settleDust(world);
      say(`the drain can do ${shortly(capacity)} events/s`);

      const seen: Round[] = [];
      const sent: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const { rate, delays } = await underLoad({ generator, ingest, edge }, seconds, capacity / 2);
        await emptied(world.redis);
        const p99 = percentile(delays, 0.99);
        const shown = `p50 ${shortly(median(delays))}  p99 ${shortly(p99)}`;
        say(
          `${round === 0 ? "warm-up" : `round ${round} of ${rounds}`}  ${shortly(rate)} events/s  ${shown}`,
        );
        if (round === 0) continue;
        seen.push({ ours: p99, theirs: null });
        sent.push(rate);
      }
      const note = `${shortly(median(sent))} events/s came in; the drain was measured at ${shortly(capacity)}`;
      return [{ ...measured(figure, seen), note }];
    } finally {
      await generator.stop();
      await edge.stop();
      await ingest.stop();
    }
  },
};

/** Events a second, the median of some backlogs after one that does not count. */
async function capacityOf(
  world: World,
  ingest: Running,
  { viewers, rounds }: { viewers: number; rounds: number },
): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    rates.push(await drained(world, ingest, mixedBeats(viewers, BEATS_EACH, START + round * 360_000)));
  }
  return median(rates.slice(1));
}

/** What really came in a second, and how long each probe's heartbeat took. */
async function underLoad(
  { generator, ingest, edge }: { generator: Generator; ingest: Running; edge: Edge },
  seconds: number,
  eventsPerSecond: number,
): Promise<{ rate: number; delays: number[] }> {
  const until = performance.now() + seconds * 1_000;
  const [batches, ...delays] = await Promise.all([
    generator.pace({
      url: ingest.url,
      connections: CONNECTIONS,
      seconds,
      eventsEach: BATCH,
      rate: eventsPerSecond / BATCH,
    }),
    ...Array.from({ length: PROBES }, (_, n) => probe(edge.url, `viewer-${n}`, until)),
  ]);
  return { rate: batches * BATCH, delays: delays.flat() };
}

const BEATS_EACH = 30;
const START = Date.now() - 7_200_000;
