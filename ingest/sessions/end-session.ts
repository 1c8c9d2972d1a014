import { sessionEnded } from "../../db/contract/cloud-events.ts";
import { finalEntry, type Session } from "../../db/contract/sessions.ts";
import type { Ending, SessionStore } from "./session-store.ts";

/**
 * Ends a session as it was seen: its last reported position becomes its last event where there is a history, and
 * `SessionEnded` is published, both in the one step in which its state goes. Were that step lost with its Redis, the
 * session would be live again, and end again under the same ids.
 */
export async function endSession(
  { sessions, history }: EndDeps,
  session: Session,
  { at, by }: { at: number; by: "client" | "timeout" },
): Promise<Ending> {
  const ended_at = Math.max(at, session.updated_at);
  const entry = history === null ? null : finalEntry(session);
  return await sessions.end(session, { at: ended_at, entry, event: sessionEnded(session, ended_at, by) });
}

export type EndDeps = {
  sessions: Pick<SessionStore, "end">;
  /** null: nobody would drain an event. */
  history: object | null;
};
