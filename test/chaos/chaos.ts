import { signToken } from "../../commands/local/sign-token.ts";
import { deadStream, eventStream } from "../../db/redis/keys.ts";
import { connectRedis } from "../../ingest/redis.ts";
import type { Comparison } from "../replay/judge.ts";
import { randomFrom } from "../replay/random.ts";
import { prepareReplay, sendReplay } from "../replay/run.ts";
import { comparedLine, differenceLine, statusLine } from "../replay/words.ts";
import { startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { createReaper, type Kills, victims } from "./kills.ts";

/** Half of the viewers leave a trace of every single event, so that a lost one cannot hide under a newer one. */
const ZAPPERS = 0.5;
const CONCURRENCY = 24;
const DRAIN_MS = 60_000;
const SHOWN_DIFFERENCES = 20;

/**
 * Replays viewers through a whole stack while its servers are killed and started again, waits until nothing waits in
 * the stream, and compares every history with the model: first as Redis shows it, then, with all views thrown
 * away, as Postgres has it.
 */
export async function unleash({ viewers, minutes, seed, kills, say }: ChaosOptions): Promise<Outcome> {
  // Histories longer than Redis holds, and entries of a dead ingest taken over soon.
  const env = { RECLAIM_AFTER: "2000", HISTORY_LIMIT: "150" };
  const stack = await startStack({ ingests: 2, env });
  const redis = connectRedis(stack.redis.url);
  try {
    const now = Date.now();
    const name = `chaos.${now.toString(36)}`;
    const replay = await prepareReplay({ viewers, minutes, seed, now, name, zappers: ZAPPERS });
    const deaths = victims(stack, kills, randomFrom(`${seed}/kills`));
    const reaper = createReaper({ deaths, events: replay.events, say });
    const sending = sendReplay(replay, {
      edge: stack.edge.url,
      tokenFor: (user, roles) => signToken({ secret: stack.secret, user, roles, env: {} }),
      concurrency: CONCURRENCY,
      onSent: reaper.onSent,
      admit: reaper.admit,
    });
    const [sent] = await Promise.all([sending, reaper.reap()]);
    say(`answers: ${statusLine(sent.statuses)}`);

    const drained = async () => (await redis.xlen(eventStream)) === 0;
    await until(drained, { timeout: DRAIN_MS, what: "an empty stream" });
    const quarantined = await redis.xlen(deadStream);
    const shown = await sent.compare();
    report("Redis", shown, say);
    const views = await redis.keys("wh:*");
    if (views.length > 0) await redis.del(views);
    const stored = await sent.compare();
    report("Postgres", stored, say);

    return {
      kills: deaths.length,
      users: sent.users,
      events: sent.events,
      lost: Math.max(shown.lost, stored.lost) + quarantined,
      differences: shown.differences.length + stored.differences.length,
    };
  } finally {
    redis.disconnect();
    await stack.stop();
  }
}

/** The last line: `30 kills, N users, M events, 0 lost, 0 differences`. */
export function outcomeLine({ kills, users, events, lost, differences }: Outcome): string {
  return `${kills} kills, ${users} users, ${events} events, ${lost} lost, ${differences} differences`;
}

function report(where: string, comparison: Comparison, say: (line: string) => void): void {
  const { differences } = comparison;
  say(`compared with ${where}: ${differences.length} differences in ${comparedLine(comparison)}`);
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) say(differenceLine(difference));
}

export type ChaosOptions = {
  viewers: number;
  minutes: number;
  seed: string;
  kills: Kills;
  say: (line: string) => void;
};

export type Outcome = { kills: number; users: number; events: number; lost: number; differences: number };
