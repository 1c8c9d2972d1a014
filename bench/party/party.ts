import { type Experiment, type Figure, measured, percentile } from "../figure.ts";
import { interleaved } from "../rounds.ts";
import { startIngest } from "../servers/ingest.ts";
import { startProcess } from "../servers/process.ts";
import { tokenFor } from "../servers/token.ts";
import { emptyWorld, settleDust } from "../servers/world.ts";
import { startCrowd } from "./crowd.ts";

const rate: Figure = {
  name: "party",
  measured: "chat messages a second that all 20 members of a party hear, in 50 parties: checked, kept, said",
  beside: "a bare Socket.IO broadcast: same transport, adapter, recovery, Redis and clients",
  unit: "messages/s",
  reach: { least: 0.6 },
};

const latency: Figure = {
  name: "party-p99",
  measured:
    "p99 from a member who says something to every member who hears it, 200 messages/s in 50 parties of 20",
  beside: "the same of the bare broadcast",
  unit: "ms",
  reach: { most: 2 },
};

const CROWDS = 2;
const PACE = 200;

/**
 * Real Socket.IO clients in two processes, real ingest in one as it is deployed. As fast as it goes: eight members of each
 * party send again once they are answered. A message counts when a member heard it, so nothing that waits counts.
 */
export const party: Experiment = {
  name: "party",
  figures: [rate, latency],
  async run(world, { quick, say }) {
    const [parties, members, seconds, rounds] = quick ? [5, 4, 1, 1] : [50, 20, 4, 5];
    await emptyWorld(world);
    const bare = await startProcess("bench/party/bare-broadcast.ts", { REDIS_URL: world.redisUrl });
    const ingest = await startIngest(world);
    const crowd = startCrowd(CROWDS);
    try {
      const opened = await openParties(ingest.url, { parties, members });
      await crowd.gather({ url: ingest.url, parties: opened });
      await crowd.gather({ url: bare.url, parties: opened });
      say(`${parties * members} members are in ${parties} parties, and as many beside them`);
      await settleDust(world);

      const flood = async (url: string) => {
        const { heard, refused } = await crowd.chat({ url, seconds, speakers: 8, rate: 0 });
        if (refused > 0) throw new Error(`${refused} messages were refused`);
        return heard / members / seconds;
      };
      const pace = quick ? 20 : PACE;
      const p99 = async (url: string) =>
        percentile((await crowd.chat({ url, seconds, speakers: 0, rate: pace })).latencies, 0.99);
      const seen = await interleaved(
        rounds,
        {
          bare: () => flood(bare.url),
          party: () => flood(ingest.url),
          p99: () => p99(ingest.url),
          bareP99: () => p99(bare.url),
        },
        say,
      );
      return [
        measured(
          rate,
          seen.map(({ party, bare }) => ({ ours: party, theirs: bare })),
        ),
        measured(
          latency,
          seen.map(({ p99, bareP99 }) => ({ ours: p99, theirs: bareP99 })),
        ),
      ];
    } finally {
      await crowd.stop();
      await ingest.stop();
      await bare.stop();
    }
  },
};

async function openParties(url: string, { parties, members }: { parties: number; members: number }) {
  const headers = {
    authorization: `Bearer ${await tokenFor("host")}`,
    "content-type": "application/json",
  };
  const opened: { party_id: string; tokens: string[] }[] = [];
  for (let n = 0; n < parties; n++) {
    const its = { title: `Party ${n}`, content_id: "sintel", visibility: "public", start_time: Date.now() };
    const made = await fetch(`${url}/parties`, { method: "POST", headers, body: JSON.stringify(its) });
    if (made.status !== 201) throw new Error(`${made.status} ${await made.text()}`);
    const { party_id } = (await made.json()) as { party_id: string };
    const users = Array.from({ length: members }, (_, member) => `p${n}-m${member}`);
    opened.push({ party_id, tokens: await Promise.all(users.map((user) => tokenFor(user))) });
  }
  return opened;
}
