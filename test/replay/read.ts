import { type PersistDeps, persist } from "./persist.ts";
import type { Sender } from "./requests.ts";
import type { View } from "./views.ts";

/** An item of a list as a client gets it, whatever else there is to it. */
export type Listed = { content_id: string; [field: string]: unknown };

/** An item of a history as a client gets it. */
export type Shown = Listed & {
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  resume_position_seconds: number | null;
  completed: boolean;
  last_watched_at: string;
};

/** How much is asked for of what to continue: fewer than there are in the least that Redis may hold of a history. */
export const CONTINUE_LIMIT = 50;
const PAGE = 100;
/** A history longer than this goes round in circles. */
const PAGES = 1_000;

const PATHS: Record<View, string> = {
  history: `watchhistory?limit=${PAGE}`,
  "continue-watching": `continue-watching?limit=${CONTINUE_LIMIT}`,
  "next-up": "next-up",
  "next-up of sport": "next-up?kind=sport",
};

/** A whole list, page by page, as the `Link` headers lead. */
export async function readAll(
  { edge, user_id, token }: Sender,
  view: View,
  deps: PersistDeps,
): Promise<Listed[]> {
  const items: Listed[] = [];
  let path: string | undefined = `/users/${user_id}/${PATHS[view]}`;
  for (let page = 0; path !== undefined; page++) {
    if (page === PAGES) throw new Error(`the ${view} of ${user_id} has no end`);
    const url = edge + path;
    const { answer } = await persist(() => ({ url, token }), [200], deps);
    for (const item of JSON.parse(answer.body) as Listed[]) items.push(item);
    path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
  }
  return items;
}

/** Looks at the beginning of a list, as an app does that is opened. */
export async function look({ edge, user_id, token }: Sender, view: View, deps: PersistDeps): Promise<void> {
  const url = `${edge}/users/${user_id}/${PATHS[view]}`;
  await persist(() => ({ url, token }), [200], deps);
}
