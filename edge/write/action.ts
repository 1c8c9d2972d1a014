import type { Action } from "../../db/contract/actions.ts";
import { acceptedAnswer } from "../../db/contract/requests.ts";
import type { Write } from "./forward.ts";

/** What a viewer does to the history, as a write. */
export function action({ of }: Action): Write {
  return function action(c) {
    const { user_id, receive } = of({ params: c.req.param(), query: c.req.query() });
    return {
      owner: { user_id, session_id: null },
      receive,
      answer: (results) => (results ? acceptedAnswer(results) : null),
    };
  };
}
