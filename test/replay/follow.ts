import { type PersistDeps, persist } from "./persist.ts";
import type { Shown } from "./read.ts";
import type { Sender } from "./requests.ts";

const AT_ONCE = 500;
/** A feed that goes on longer goes round in circles. */
const POLLS = 1_000;

/** A client that follows the changes of a history, from nothing, and keeps its list by them alone. */
export function createFollower({ edge, user_id, token }: Sender, deps: PersistDeps): Follower {
  const list = new Map<string, Shown>();
  let since = "";
  let told = 0;

  async function poll(limit: number): Promise<boolean> {
    const query = new URLSearchParams({ since, limit: String(limit) });
    const url = `${edge}/users/${user_id}/changes?${query}`;
    const { answer } = await persist(() => ({ url, token }), [200], deps);
    const { changes, cursor, has_more, reset } = JSON.parse(answer.body) as Told;
    if (reset) list.clear();
    for (const change of changes) {
      if ("deleted" in change) list.delete(change.content_id);
      else list.set(change.content_id, change);
    }
    since = cursor;
    told += changes.length;
    return has_more;
  }

  return {
    poll,
    async toTheEnd() {
      let polls = 0;
      while (await poll(AT_ONCE)) {
        if (++polls === POLLS) throw new Error(`the changes of ${user_id} have no end`);
      }
      return [...list.values()].sort(newestFirst);
    },
    told: () => told,
  };
}

function newestFirst(a: Shown, b: Shown): number {
  if (a.last_watched_at !== b.last_watched_at) return a.last_watched_at > b.last_watched_at ? -1 : 1;
  return a.content_id > b.content_id ? -1 : 1;
}

type Told = {
  changes: (Shown | { content_id: string; deleted: true })[];
  cursor: string;
  has_more: boolean;
  reset?: boolean;
};

export type Follower = {
  /** Asks for so many changes. @returns whether there are more. */
  poll(limit: number): Promise<boolean>;
  /** The list as it is once everything is told. */
  toTheEnd(): Promise<Shown[]>;
  /** How many changes it was told. */
  told(): number;
};
