import { type PersistDeps, persist } from "./persist.ts";

/** An item as a client gets it. */
export type Shown = {
  content_id: string;
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  resume_position_seconds: number | null;
  completed: boolean;
  last_watched_at: string;
};

const PAGE = 100;
/** A history longer than this goes round in circles. */
const PAGES = 1_000;

/** A whole history, page by page, as the `Link` headers lead. */
export async function readAll(
  edge: string,
  user_id: string,
  token: string,
  deps: PersistDeps,
): Promise<Shown[]> {
  const items: Shown[] = [];
  let path: string | undefined = `/users/${user_id}/watchhistory?limit=${PAGE}`;
  for (let page = 0; path !== undefined; page++) {
    if (page === PAGES) throw new Error(`the history of ${user_id} has no end`);
    const { answer } = await persist(edge + path, () => ({ token }), deps);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
    for (const item of JSON.parse(answer.body) as Shown[]) items.push(item);
    path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
  }
  return items;
}
