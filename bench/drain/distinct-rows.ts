import { searchIndex } from "../../db/redis/keys.ts";
import { type Experiment, type Figure, measured } from "../figure.ts";
import { interleaved } from "../rounds.ts";
import { startIngest } from "../servers/ingest.ts";
import { emptyWorld, settleDust, type World } from "../servers/world.ts";
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

const withIndex: Figure = {
  name: "drain-index",
  measured: "drain, distinct rows a second, of contents that the catalogue knows and the default index finds",
  beside: "the same of contents that the catalogue does not know, so that no record is kept",
  unit: "rows/s",
  reach: { least: 0.9 },
};

/**
 * Every heartbeat is for another row, so nothing folds: stream, Postgres, views and acknowledgement are paid for
 * row by row. Users are warm, rows exist: each is an update on both sides.
 */
export const distinctRows: Experiment = {
  name: "drain-rows",
  figures: [figure, withIndex],
  async run(world, { quick, say }) {
    const [users, items, rounds] = quick ? [200, 5, 1] : [2_000, 20, 5];
    const beatsOf = (round: number) => distinctBeats(users, items, START + round * 60_000);
    const matchesOf = (round: number) => distinctBeats(users, items, START + round * 60_000, "match");
    await emptyWorld(world);
    await createBareTable(world.sql);
    await catalogue(world, items);
    const ingest = await startIngest(world);
    try {
      say(`warming ${users} users`);
      await warm(ingest, users);
      await bareUpsert(world.sql, beatsOf(-1));
      await drained(world, ingest, beatsOf(-1));
      await drained(world, ingest, matchesOf(-1));
      await checkIndexed(world, users);
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
          indexed: (round) => drained(world, ingest, matchesOf(round)),
        },
        say,
      );
      return [
        measured(
          figure,
          seen.map(({ bare, drain }) => ({ ours: drain, theirs: bare })),
        ),
        measured(
          withIndex,
          seen.map(({ drain, indexed }) => ({ ours: indexed, theirs: drain })),
        ),
      ];
    } finally {
      await ingest.stop();
    }
  },
};

/** The matches, as a catalogue knows them. */
async function catalogue({ sql }: World, matches: number): Promise<void> {
  for (let match = 0; match < matches; match++) {
    await sql`
      INSERT INTO contents (content_id, kind, title, thumbnail, duration, sport, series, teams)
      VALUES (${`match-${match}`}, 'match', ${`Home ${match} - Away ${match}`},
        ${`https://images.example.com/matches/${match}.jpg`}, 7200, 'football',
        ${`English Premier League 2024/25, ${match % 4}`}, ${[`Home ${match}`, `Away ${match}`]})`;
  }
}

/** The comparison would be none if nothing were in the index. */
async function checkIndexed({ redis }: World, users: number): Promise<void> {
  const football = Buffer.from("football").toString("hex");
  const [found] = (await redis.call("FT.SEARCH", searchIndex, `@sport:{${football}}`, "NOCONTENT")) as [
    number,
  ];
  if (found < users) throw new Error(`the index holds ${found} records of ${users} users`);
}

const START = Date.now() - 3_600_000;
