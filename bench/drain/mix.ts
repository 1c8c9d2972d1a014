import { type Experiment, type Figure, measured } from "../figure.ts";
import { interleaved } from "../rounds.ts";
import { startIngest } from "../servers/ingest.ts";
import { emptyWorld, settleDust } from "../servers/world.ts";
import { drained } from "./backlog.ts";
import { bareUpsert, createBareTable } from "./bare-upsert.ts";
import { checkDrained } from "./check.ts";
import { distinctBeats, mixedBeats } from "./heartbeats.ts";
import { createPlainTables, plainWorker } from "./plain-worker.ts";
import { warm } from "./warm.ts";

const besideBare: Figure = {
  name: "drain-mix",
  measured: "drain, heartbeats a second out of a backlog of 5 minutes",
  beside: "the bare upsert, rows a second",
  unit: "heartbeats/s",
  reach: { least: 1.5 },
};

const besidePlain: Figure = {
  name: "drain-plain",
  measured: "drain, heartbeats a second out of a backlog of 5 minutes",
  beside: "the plain worker on the same heartbeats",
  unit: "heartbeats/s",
  reach: { least: 8 },
};

/**
 * What an outage of 5 minutes leaves behind: every viewer's heartbeat every 10 s. Here folding pays: what is
 * stored and projected is one row a viewer and turn.
 */
export const mix: Experiment = {
  name: "drain-mix",
  figures: [besideBare, besidePlain],
  async run(world, { quick, say }) {
    const [viewers, plainMessages, rounds] = quick ? [300, 300, 1] : [2_000, 4_000, 5];
    const [users, items] = quick ? [200, 5] : [2_000, 20];
    const mixOf = (round: number) => mixedBeats(viewers, BEATS_EACH, START + round * 360_000);
    await emptyWorld(world);
    await createBareTable(world.sql);
    await createPlainTables(world.sql);
    const ingest = await startIngest(world);
    try {
      say(`warming ${viewers} users`);
      await warm(ingest, viewers);
      await bareUpsert(world.sql, distinctBeats(users, items, START - 60_000));
      await drained(world, ingest, mixOf(-1));
      await settleDust(world);
      const seen = await interleaved(
        rounds,
        {
          bare: (round) => bareUpsert(world.sql, distinctBeats(users, items, START + round * 60_000)),
          drain: async (round) => {
            const beats = mixOf(round);
            const rate = await drained(world, ingest, beats);
            await checkDrained(world, beats);
            return rate;
          },
          plain: (round) => plainWorker(world, mixOf(round).slice(0, plainMessages)),
        },
        say,
      );
      return [
        measured(
          besideBare,
          seen.map(({ bare, drain }) => ({ ours: drain, theirs: bare })),
        ),
        measured(
          besidePlain,
          seen.map(({ plain, drain }) => ({ ours: drain, theirs: plain })),
        ),
      ];
    } finally {
      await ingest.stop();
    }
  },
};

const BEATS_EACH = 30;
const START = Date.now() - 7_200_000;
