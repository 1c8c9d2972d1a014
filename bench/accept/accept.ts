import { emptied } from "../drain/backlog.ts";
import { type Experiment, type Figure, measured } from "../figure.ts";
import { startGenerator } from "../load/generator.ts";
import { interleaved } from "../rounds.ts";
import { startIngest } from "../servers/ingest.ts";
import { startProcess } from "../servers/process.ts";
import { emptyWorld, settleDust } from "../servers/world.ts";

const single: Figure = {
  name: "accept",
  measured: "accept, single events a second: token verified, durable, drained meanwhile",
  beside: "a bare Hono POST on Node that parses and echoes the same body",
  unit: "requests/s",
  reach: { least: 0.5 },
};

const batches: Figure = {
  name: "accept-batches",
  measured: "accept, events a second in batches of 100",
  beside: "accept, single events a second",
  unit: "events/s",
  reach: { least: 8 },
};

const BATCH = 100;
const CONNECTIONS = 256;

/**
 * Clients that send as fast as they are answered: the same generator, connections and bodies on all sides.
 *
 * Ingest is the whole of it, in one process as it is deployed: it drains into Postgres and the views what it
 * accepts, while it accepts. A round begins with an empty stream. Every viewer's token was seen before, as a
 * player's is that sends a heartbeat every 10 s.
 */
export const accept: Experiment = {
  name: "accept",
  figures: [single, batches],
  async run(world, { quick, say }) {
    const [connections, seconds, rounds] = quick ? [32, 1, 1] : [CONNECTIONS, 2, 5];
    await emptyWorld(world);
    const generator = startGenerator();
    const bare = await startProcess("bench/accept/bare-echo.ts", {});
    const ingest = await startIngest(world);
    const accepted = async (eventsEach: number) => {
      const rate = await generator.flood({ url: ingest.url, path: null, connections, seconds, eventsEach });
      await emptied(world.redis);
      return rate * eventsEach;
    };
    try {
      await settleDust(world);
      const seen = await interleaved(
        rounds,
        {
          bare: () => generator.flood({ url: bare.url, path: "/echo", connections, seconds, eventsEach: 1 }),
          single: () => accepted(1),
          batches: () => accepted(BATCH),
        },
        say,
      );
      return [
        measured(
          single,
          seen.map(({ single, bare }) => ({ ours: single, theirs: bare })),
        ),
        measured(
          batches,
          seen.map(({ batches, single }) => ({ ours: batches, theirs: single })),
        ),
      ];
    } finally {
      await generator.stop();
      await ingest.stop();
      await bare.stop();
    }
  },
};
