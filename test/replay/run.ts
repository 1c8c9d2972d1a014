import type { Role } from "../../db/contract/access-matrix.ts";
import type { ListedContent } from "../../db/contract/contents.ts";
import { UserId } from "../../db/contract/ids.ts";
import { listedIn, readCatalogue } from "./catalogue.ts";
import { createFollower } from "./follow.ts";
import { type Comparison, judge, nothingCompared } from "./judge.ts";
import { createModel } from "./model.ts";
import { gateOf, type Statuses } from "./persist.ts";
import { publish } from "./publish.ts";
import { randomFrom } from "./random.ts";
import { sendSteps } from "./send.ts";
import { tellStory } from "./story.ts";
import { eventsOf, type Step, trafficOf } from "./traffic.ts";

/** Stories end so long before now: no corrected clock, and no pause, reaches into what is done in real time. */
const BEFORE_NOW_MS = 180_000;
/** Who fills the catalogue. */
const CATALOGUE = UserId.parse("replay.catalogue");

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
  return {
    catalogue: listedIn(catalogue),
    viewers: all,
    events: all.reduce((sum, { steps }) => sum + eventsIn(steps), 0),
  };
}

/**
 * Fills the catalogue, sends it all through an edge, all viewers side by side, and answers with how to compare.
 *
 * @param options.admit holds the traffic up, if it wants to.
 */
export async function sendReplay(replay: Replay, options: SendOptions): Promise<Sent> {
  const { edge, tokenFor, concurrency, onSent, admit = () => undefined } = options;
  const { catalogue } = replay;
  const model = createModel(catalogue);
  const statuses: Statuses = new Map();
  const deps = { model, gate: gateOf(concurrency), statuses };
  const viewers = await Promise.all(
    replay.viewers.map(async ({ user_id, steps }) => {
      const sender = { edge, user_id, token: await tokenFor(user_id, ["user"]) };
      return { sender, steps, deps: { ...deps, follower: createFollower(sender, deps) } };
    }),
  );
  const service = { edge, token: await tokenFor(CATALOGUE, ["service"]) };
  await publish(service, [...catalogue.values()], deps);

  const from = performance.now();
  await Promise.all(
    viewers.map(({ sender, steps, deps }) => sendSteps(sender, steps, { ...deps, admit, onSent })),
  );
  const seconds = (performance.now() - from) / 1_000;

  /** Reads everything there is and compares it with what it must be. */
  async function compare(): Promise<Comparison> {
    const all = nothingCompared();
    await Promise.all(
      viewers.map(async ({ sender, deps }) => {
        const found = await judge(sender, deps);
        for (const difference of found.differences) all.differences.push(difference);
        for (const view of Object.keys(all.items) as (keyof Comparison["items"])[])
          all.items[view] += found.items[view];
        all.lost += found.lost;
        all.changes += found.changes;
      }),
    );
    return all;
  }
  return { users: viewers.length, events: model.events(), seconds, statuses, compare };
}

function eventsIn(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    if (step.kind === "live" || step.kind === "live deed") return sum + 1;
    if (step.kind === "session") return sum + step.session.reports.length;
    return step.kind === "events" ? step.together.reduce((n, its) => n + eventsOf(its), sum) : sum;
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
export type Replay = {
  catalogue: Map<string, ListedContent>;
  viewers: { user_id: UserId; steps: Step[] }[];
  events: number;
};

export type SendOptions = {
  edge: string;
  tokenFor: (user: UserId, roles: readonly Role[]) => Promise<string>;
  /** Requests that are under way at once, at most. */
  concurrency: number;
  onSent: (events: number) => void;
  admit?: () => Promise<void> | undefined;
};

export type Sent = {
  users: number;
  /** Different events that were accepted. */
  events: number;
  seconds: number;
  statuses: Statuses;
  compare(): Promise<Comparison>;
};
