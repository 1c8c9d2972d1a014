import { sessionOwner } from "../../db/contract/access.ts";
import { receive } from "../../db/contract/events.ts";
import { PlainId } from "../../db/contract/ids.ts";
import { checked } from "../../db/contract/refusals.ts";
import { acceptedAnswer, parseJson, UserPath } from "../../db/contract/requests.ts";
import { userOfSession } from "../../db/contract/sessions.ts";
import type { Finding, Write } from "./forward.ts";

/** Events of a playback session; the token says whose they are, or leaves it to the session. */
export const sessionEvents: Write = (c) => {
  const session_id = checked(PlainId, c.req.param("session_id"), ["session_id"]);
  const owner: Finding = async ({ readSession }) => {
    const userOf = async (id: string) => userOfSession(await readSession(id));
    return { user_id: await sessionOwner(c.var.viewer, session_id, userOf), session_id };
  };
  return { owner, ...events };
};

/** Events of a user. */
export const userEvents: Write = (c) => {
  const { user_id } = checked(UserPath, c.req.param());
  return { owner: { user_id, session_id: null }, ...events };
};

const events: Omit<ReturnType<Write>, "owner"> = {
  receive: (arrival, body) => receive(parseJson(body), arrival),
  answer: acceptedAnswer,
};
