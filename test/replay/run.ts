import { UserId } from "../../db/contract/ids.ts";
import { readCatalogue } from "./catalogue.ts";
import { type Difference, differences, lost } from "./compare.ts";
import { createModel } from "./model.ts";
import { gateOf, type Statuses } from "./persist.ts";
import { randomFrom } from "./random.ts";
import { readAll } from "./read.ts";
import { sendSteps } from "./send.ts";
import { tellStory } from "./story.ts";
import { type Step, trafficOf } from "./traffic.ts";

/** Stories end so long before now: no corrected clock, and no pause, reaches into what is done in real time. */
const BEFORE_NOW_MS = 180_000;
/** The model cannot know which of two devices was first if a clock may be off by the time between their beats. */
const ADMITTED_LATENESS_MS = 10_000;

/**
 * The traffic of seeded viewers. The same seed, count and minutes tell the same stories; `now` alone moves them in
 * time, and `name` keeps the users of one run apart from those of another.
 */
export async function prepareReplay(options: ReplayOptions): Promise<Replay> {
  const { viewers, minutes, seed, now, name, zappers } = options;
  const catalogue = await readCatalogue();
  const until = now - BEFORE_NOW_MS;
  const from = until - minutes * 60_000;
  const all = Array.from({ length: viewers }, (_, n) => {
    const user_id = UserId.parse(`${name}.${n}`);
    const random = randomFrom(`${seed}/${n}`);
    const zaps = random.chance(zappers);
    return {
      user_id,
      steps: trafficOf(tellStory({ user_id, catalogue, random, from, until, zaps }), random),
    };
  });
  return { viewers: all, events: all.reduce((sum, { steps }) => sum + eventsIn(steps), 0) };
}

/**
 * Sends it all through an edge, all viewers side by side, and answers with how to compare.
 *
 * @param options.admit holds the traffic up, if it wants to.
 */
export async function sendReplay(replay: Replay, options: SendOptions): Promise<Sent> {
  const { edge, tokenFor, concurrency, onSent, admit = () => undefined } = options;
  const model = createModel();
  const statuses: Statuses = new Map();
  const deps = { edge, model, gate: gateOf(concurrency), statuses, admit, onSent };
  const tokens = new Map<string, string>();
  for (const { user_id } of replay.viewers) tokens.set(user_id, await tokenFor(user_id));

  const from = performance.now();
  await Promise.all(
    replay.viewers.map(({ user_id, steps }) =>
      sendSteps({ user_id, token: tokens.get(user_id) ?? "" }, steps, deps),
    ),
  );
  const seconds = (performance.now() - from) / 1_000;

  /** Reads every history there is and compares it with what it must be. */
  async function compare(onCompared: () => void = () => {}): Promise<Comparison> {
    const found: Comparison = { differences: [], lost: 0 };
    await Promise.all(
      replay.viewers.map(async ({ user_id }) => {
        const expected = model.history(user_id);
        const late = Math.max(0, ...expected.map(({ last_watched_at: { from, to } }) => to - from));
        if (late >= ADMITTED_LATENESS_MS)
          throw new Error(`answers took ${late} ms: too slow to know any order`);
        const shown = await readAll(edge, user_id, tokens.get(user_id) ?? "", deps);
        for (const difference of differences(user_id, expected, shown)) found.differences.push(difference);
        found.lost += lost(model.living(user_id), shown).length;
        onCompared();
      }),
    );
    return found;
  }
  return { users: replay.viewers.length, events: model.events(), seconds, statuses, compare };
}

function eventsIn(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    if (step.kind === "live") return sum + 1;
    return step.kind === "events" ? step.together.reduce((n, { beats }) => n + beats.length, sum) : sum;
  }, 0);
}

export type ReplayOptions = {
  viewers: number;
  minutes: number;
  seed: string;
  /** Stories end a little before. */
  now: number;
  /** The beginning of all user ids. */
  name: string;
  /** The share of viewers whose every event is about another content, and shows in the end. */
  zappers: number;
};

/** `events` counts what is sent, duplicates too. */
export type Replay = { viewers: { user_id: UserId; steps: Step[] }[]; events: number };

export type SendOptions = {
  edge: string;
  tokenFor: (user: UserId) => Promise<string>;
  /** Requests that are under way at once, at most. */
  concurrency: number;
  onSent: (events: number) => void;
  admit?: () => Promise<void> | undefined;
};

export type Comparison = { differences: Difference[]; lost: number };

export type Sent = {
  users: number;
  /** Different events that were accepted. */
  events: number;
  seconds: number;
  statuses: Statuses;
  compare(onCompared?: () => void): Promise<Comparison>;
};
