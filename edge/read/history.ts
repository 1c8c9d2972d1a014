import { pageKey, pageOf, pageRequest, queryKey } from "../../db/contract/pages.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import { historyItem, narrowedItem } from "../../db/contract/views.ts";
import { answerFromView } from "../answer-from-view.ts";
import type { EdgeDeps, EdgeHandler } from "../deps.ts";

/** One page of a history, whole or narrowed by dimension, newest first, in one round trip. */
export function history(deps: EdgeDeps): EdgeHandler {
  const { redis } = deps;
  return async function history(c) {
    const { user_id } = checked(UserPath, c.req.param());
    const query = c.req.queries();
    const page = pageRequest(query);
    const place = { limit: page.limit, path: c.req.path, query };

    if (page.filter) {
      return await answerFromView(deps, c, {
        key: await queryKey(query),
        read: (known) => redis.search(user_id, page, known),
        show: (found) => {
          const { shown, headers } = pageOf(found, ({ progress }) => progress, place);
          return { body: shown.map(narrowedItem), headers };
        },
      });
    }
    return await answerFromView(deps, c, {
      key: pageKey(page),
      read: (known) => redis.readHistory(user_id, page, known),
      show: (found) => {
        const { shown, headers } = pageOf(found, (progress) => progress, place);
        return { body: shown.map(historyItem), headers };
      },
    });
  };
}
