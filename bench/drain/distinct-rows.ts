import { type Experiment, type Figure, measured } from "../figure.ts";
import { interleaved } from "../rounds.ts";
import { startIngest } from "../servers/ingest.ts";
import { emptyWorld, settleDust } from "../servers/world.ts";
import { drained } from "./backlog.ts";
import { bareUpsert, createBareTable } from "./bare-upsert.ts";
import { checkDrained } from "./check.ts";
import { distinctBeats } from "./heartbeats.ts";
import { warm } from "./warm.ts";

const figure: Figure = {
  name: "drain-rows",
  measured: "drain, distinct rows a second",
  beside: "the bare upsert of the same rows",
  unit: "rows/s",
  reach: { least: 0.4 },
};

/**
 * Every heartbeat is for another row, so nothing folds: stream, Postgres, views and acknowledgement are paid for
 * row by row. Users are warm, rows exist: each is an update on both sides.
 */
export const distinctRows: Experiment = {
  name: "drain-rows",
  figures: [figure],
  async run(world, { quick, say }) {
    const [users, items, rounds] = quick ? [200, 5, 1] : [2_000, 20, 5];
    const beatsOf = (round: number) => distinctBeats(users, items, START + round * 60_000);
    await emptyWorld(world);
    await createBareTable(world.sql);
    const ingest = await startIngest(world);
    try {
      say(`warming ${users} users`);
      await warm(ingest, users);
      await bareUpsert(world.sql, beatsOf(-1));
      await drained(world, ingest, beatsOf(-1));
      await settleDust(world);
      const seen = await interleaved(
        rounds,
        {
          bare: (round) => bareUpsert(world.sql, beatsOf(round)),
          drain: async (round) => {
            const beats = beatsOf(round);
            const rate = await drained(world, ingest, beats);
            await checkDrained(world, beats);
            return rate;
          },
        },
        say,
      );
      return [
        measured(
          figure,
          seen.map(({ bare, drain }) => ({ ours: drain, theirs: bare })),
        ),
      ];
    } finally {
      await ingest.stop();
    }
  },
};

const START = Date.now() - 3_600_000;
