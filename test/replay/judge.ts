import {
  asIn,
  type Difference,
  differences,
  lost,
  newestFirst,
  newestShowFirst,
  type Wanted,
} from "./compare.ts";
import type { Follower } from "./follow.ts";
import type { Model } from "./model.ts";
import type { PersistDeps } from "./persist.ts";
import { CONTINUE_LIMIT, readAll, type Shown } from "./read.ts";
import type { Sender } from "./requests.ts";
import type { View } from "./views.ts";

/** The model cannot know which of two devices was first if a clock may be off by the time between their beats. */
const ADMITTED_LATENESS_MS = 10_000;

/** Reads everything of one viewer, and compares it with what it must be. @throws when nobody could know that. */
export async function judge(sender: Sender, { model, follower, ...deps }: JudgeDeps): Promise<Comparison> {
  const { user_id } = sender;
  const now = Date.now();
  const history = model.history(user_id);
  const late = Math.max(0, ...history.map(({ last_watched_at: { from, to } }) => to - from));
  if (late >= ADMITTED_LATENESS_MS) throw new Error(`answers took ${late} ms: too slow to know any order`);

  const found = nothingCompared();
  const compare = (
    view: Difference["view"],
    [expected, shown]: [readonly Wanted[], Awaited<ReturnType<typeof readAll>>],
    follows = newestFirst,
  ) => {
    found.items[view] += expected.length;
    for (const its of differences({ user_id, view }, expected, shown, follows)) found.differences.push(its);
  };
  const read = (view: View) => readAll(sender, view, deps);

  const shown = (await read("history")) as Shown[];
  compare("history", [history, shown]);
  found.lost = lost(model.living(user_id), shown).length;
  compare("continue-watching", [
    model.continueWatching(user_id).slice(0, CONTINUE_LIMIT),
    await read("continue-watching"),
  ]);
  const episodes = model.nextEpisodes(user_id, now).map(asAnswered);
  compare("next-up", [episodes, await read("next-up")], newestShowFirst);
  const fixtures = model.nextFixtures(user_id, now).map(asAnswered);
  compare("next-up of sport", [fixtures, await read("next-up of sport")], asIn(fixtures));
  compare("changes", [history, await follower.toTheEnd()]);
  found.changes = follower.told();
  return found;
}

export function nothingCompared(): Comparison {
  const items = { history: 0, "continue-watching": 0, "next-up": 0, "next-up of sport": 0, changes: 0 };
  return { differences: [], lost: 0, items, changes: 0 };
}

/** The catalogue is told a number, and says a text. */
function asAnswered<Item extends { content_id: string; released_at: number | null }>(item: Item): Wanted {
  const { released_at } = item;
  return { ...item, released_at: released_at === null ? null : new Date(released_at).toISOString() };
}

type JudgeDeps = PersistDeps & { model: Model; follower: Follower };

export type Comparison = {
  differences: Difference[];
  /** Accepted heartbeats that are newer than what is shown of their item. */
  lost: number;
  /** How many items there had to be, by view. */
  items: Record<Difference["view"], number>;
  /** How many changes the clients were told. */
  changes: number;
};
