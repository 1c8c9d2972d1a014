import type { UserId } from "../../db/contract/ids.ts";
import { type Cursor, type ListRequest, listRequest, pageOf } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { IngestHandler } from "../deps.ts";

/** One page of a list that a user keeps, for an edge that cannot answer itself. */
export function ownList<Item>({ load, placeOf, itemOf }: List<Item>): IngestHandler {
  return async function ownList(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const request = listRequest(query);
    const found = await load(user_id, request);
    const { shown, headers } = pageOf(found, placeOf, { limit: request.limit, path: c.req.path, query });
    return c.json(shown.map(itemOf), 200, {
      ...headers,
      ...{ "cache-control": "private, no-store", vary: "Authorization, Origin" },
    });
  };
}

type List<Item> = {
  load: (user: UserId, request: ListRequest) => Promise<readonly Item[]>;
  placeOf: (item: Item) => Cursor;
  itemOf: (item: Item) => object;
};
