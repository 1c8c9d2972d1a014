import type { ChangesRequest, Feed, Told } from "../../db/contract/changes.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { changesArguments, readChanges } from "../../db/redis/change-scripts.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import { foundChanges, type ToldInView } from "../../db/redis/replies.ts";
import { runScript } from "../redis.ts";
import { loadItems, loadPage } from "./load.ts";
import type { Look, LookDeps } from "./look.ts";
import type { WithContents } from "./with-contents.ts";

/**
 * The change feed, for edges that could not answer: a cold view is warmed first, for only Redis counts changes.
 *
 * Of a history that Redis holds in part a client starts from a list, page by page out of Postgres, and then follows the
 * changes from where the list was begun: what moved meanwhile is told then. What changed further back than Redis holds
 * is looked up in Postgres. Either is at least as new as the change that is told, and whatever comes after is told again.
 */
export function changesReader({ db, redis, look, withContents }: ChangesDeps) {
  /** @throws Refusal `unavailable` while nobody can say what changed. */
  return async function changes(user: UserId, request: ChangesRequest): Promise<Feed> {
    const { since, limit } = request;
    const ask = async () =>
      foundChanges(await runScript(redis, readChanges, historyKeys(user), changesArguments(request)));
    const { view, loaded } = await look(user, ask);
    if (loaded?.erased) return NOTHING_EVER;
    if (view === null || view.state === "cold") {
      throw new Refusal("unavailable", "what changed is out of reach", { retryAfterSeconds: 5 });
    }
    if (view.state === "list") return await listed(user, limit, { ...view, has_more: false });
    if (since?.after && !view.reset) return await listed(user, limit, { ...view, cursor: since });
    return { ...view, told: await resolved(user, view.told) };
  };

  /** One page of the list; the page after the last one is the first of the changes since the beginning. */
  async function listed(
    user: UserId,
    limit: number,
    { cursor, reset, has_more }: Omit<Feed, "told">,
  ): Promise<Feed> {
    const page = { after: cursor.after, filter: null, limit: limit + 1 };
    const rows = await loadPage(db, user, page);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    const after = last ? { watched_at: last.watched_at, content_id: last.content_id } : null;
    return {
      told: (await withContents(shown)).map(({ progress }) => ({
        content_id: progress.content_id,
        progress,
      })),
      cursor: { ...cursor, after },
      has_more: has_more || after !== null,
      reset,
    };
  }

  async function resolved(user: UserId, told: readonly ToldInView[]): Promise<Told[]> {
    const elsewhere = told.flatMap((its) => (its.progress === undefined ? [its.content_id] : []));
    const rows = elsewhere.length > 0 ? await loadItems(db, user, elsewhere) : [];
    const found = new Map((await withContents(rows)).map(({ progress }) => [progress.content_id, progress]));
    return told.map(({ content_id, progress }) => ({
      content_id,
      progress: progress === undefined ? (found.get(content_id) ?? null) : progress,
    }));
  }
}

/** Of who was erased: whoever followed lets go of everything. */
const NOTHING_EVER: Feed = {
  told: [],
  cursor: { epoch: "none", seq: 0, after: null },
  has_more: false,
  reset: true,
};

type ChangesDeps = Pick<LookDeps, "redis"> & { db: Database; look: Look; withContents: WithContents };
