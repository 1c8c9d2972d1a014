import { drained } from "../drain/backlog.ts";
import { distinctBeats } from "../drain/heartbeats.ts";
import { warm } from "../drain/warm.ts";
import { type Experiment, type Figure, measured, median, percentile } from "../figure.ts";
import { startGenerator } from "../load/generator.ts";
import { round as shortly } from "../report/words.ts";
import { interleaved } from "../rounds.ts";
import { startEdge } from "../servers/edge.ts";
import { startIngest } from "../servers/ingest.ts";
import { tokenFor } from "../servers/token.ts";
import { emptyWorld, settleDust, type World } from "../servers/world.ts";

const besideGet: Figure = {
  name: "edge-read",
  measured: "warm edge read of 50 items on Node, p50, one reader",
  beside: "a route of the same process: token verified, one GET of the same bytes through the same door",
  unit: "ms",
  reach: { most: 1.3 },
};

const underLoad: Figure = {
  name: "edge-read-p99",
  measured: "warm edge read of 50 items on Node, p99 at half of what the edge can do",
  beside: null,
  unit: "ms",
  reach: { most: 50 },
};

const ITEMS = 60;
/** One reader: how long a read takes when it waits for no other. */
const CALM = 1;
const BUSY = 32;

/** Reads of many users' warm histories, one page each. The comparison answers the very same bytes. */
export const edgeRead: Experiment = {
  name: "edge-read",
  figures: [besideGet, underLoad],
  async run(world, { quick, say }) {
    const [users, seconds, rounds] = quick ? [20, 0.25, 1] : [200, 2, 5];
    await emptyWorld(world);
    const generator = startGenerator();
    const ingest = await startIngest(world);
    const edge = await startEdge(world, ingest);
    try {
      say(`${users} users with ${ITEMS} items each`);
      await drained(world, ingest, distinctBeats(users, ITEMS, Date.now() - 60_000));
      await warm(ingest, users);
      const pages = await pagesOf(world, edge.url, users);
      await settleDust(world);
      const ask = (url: string, connections: number, asks: Ask[], rate?: number) =>
        generator.reads({ url, connections, seconds, asks, rate });
      const capacity = median(
        await times(rounds, async () => (await ask(edge.url, BUSY, pages.edge)).length / seconds),
      );
      say(`the edge can do ${shortly(capacity)} reads/s`);
      const seen = await interleaved(
        rounds,
        {
          bare: async () => median(await ask(edge.bareUrl, CALM, pages.bare)),
          edge: async () => median(await ask(edge.url, CALM, pages.edge)),
          busy: async () => percentile(await ask(edge.url, BUSY, pages.edge, capacity / 2), 0.99),
        },
        say,
      );
      return [
        measured(
          besideGet,
          seen.map(({ edge, bare }) => ({ ours: edge, theirs: bare })),
        ),
        {
          ...measured(
            underLoad,
            seen.map(({ busy }) => ({ ours: busy, theirs: null })),
          ),
          note: `${shortly(capacity / 2)} reads/s, evenly sent; the edge was measured at ${shortly(capacity)}`,
        },
      ];
    } finally {
      await generator.stop();
      await edge.stop();
      await ingest.stop();
    }
  },
};

async function times(count: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let n = 0; n < count; n++) values.push(await measure());
  return values;
}

/** What both sides are asked for; each page that the edge answers is also put where a GET finds it. */
async function pagesOf(
  { redis }: World,
  edgeUrl: string,
  users: number,
): Promise<Record<"edge" | "bare", Ask[]>> {
  const edge: Ask[] = [];
  const bare: Ask[] = [];
  for (let user = 0; user < users; user++) {
    const token = await tokenFor(`viewer-${user}`);
    const path = `/users/viewer-${user}/watchhistory?limit=50`;
    const answer = await fetch(`${edgeUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
    const page = await answer.text();
    if ((JSON.parse(page) as unknown[]).length !== 50) throw new Error(`not a page of 50 items: ${page}`);
    await redis.set(`wh:bench:${user}`, page);
    edge.push({ path, token });
    bare.push({ path: `/values/wh:bench:${user}`, token });
  }
  return { edge, bare };
}

type Ask = { path: string; token: string };
