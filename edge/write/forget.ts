import { mustWrite } from "../../db/contract/access.ts";
import { forgetting } from "../../db/contract/events.ts";
import { checked } from "../../db/contract/refusals.ts";
import { ClearQuery, ItemPath, UserPath } from "../../db/contract/requests.ts";
import type { Write } from "./forward.ts";

/** Forgets one item. */
export const forgetItem: Write = (c) => {
  const { user_id, content_id } = checked(ItemPath, c.req.param());
  mustWrite(c.var.viewer, user_id);
  return {
    owner: { user_id, session_id: null },
    receive: (arrival) => ({ entry: forgetting(arrival, { content_id }), results: null }),
    answer: () => null,
  };
};

/** Forgets a whole history, or all of it up to a time. */
export const clearHistory: Write = (c) => {
  const { user_id } = checked(UserPath, c.req.param());
  mustWrite(c.var.viewer, user_id);
  const { before } = checked(ClearQuery, c.req.query());
  return {
    owner: { user_id, session_id: null },
    receive: (arrival) => ({ entry: forgetting(arrival, { before }), results: null }),
    answer: () => null,
  };
};
