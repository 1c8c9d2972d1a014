import type { UserId } from "../db/contract/ids.ts";
import { type Cursor, type ListRequest, listRequest, pageKey, pageOf } from "../db/contract/pages.ts";
import { checked } from "../db/contract/refusals.ts";
import { UserPath } from "../db/contract/requests.ts";
import type { FoundView } from "../db/redis/profile-records.ts";
import { answerFromView } from "./answer-from-view.ts";
import type { EdgeDeps, EdgeHandler } from "./deps.ts";

/** One page of a list that a user keeps, what came or changed last first, in one round trip. */
export function ownList<Item>(deps: EdgeDeps, { what, read, placeOf, itemOf }: List<Item>): EdgeHandler {
  return async function ownList(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = listRequest(query);
    return await answerFromView(deps, c, {
      key: pageKey(request),
      what,
      read: (known) => read(user_id, request, known),
      show(found) {
        const { shown, headers } = pageOf(found, placeOf, { limit: request.limit, path: c.req.path, query });
        return { body: shown.map(itemOf), headers };
      },
    });
  };
}

type List<Item> = {
  /** What is out of reach when nobody can answer, as `the watchlist is`. */
  what: string;
  read: (user: UserId, request: ListRequest, knownVersion: string) => Promise<FoundView<Item[]>>;
  placeOf: (item: Item) => Cursor;
  itemOf: (item: Item) => object;
};
