import type { ContentId, UserId } from "../contract/ids.ts";
import type { KnownSession, Session } from "../contract/sessions.ts";

/** A session as the fields and values of its hash. No field of one that is set is empty: "" is null. */
export function sessionFields(session: Session): string[] {
  return Object.entries(session).flatMap(([name, value]) => [name, value === null ? "" : String(value)]);
}

/** What the scripts say of a session: all fields and values of its hash. */
export function knownSession(reply: unknown): KnownSession {
  const flat = reply as string[];
  const its: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) its[flat[at] ?? ""] = flat[at + 1] ?? "";
  const { id, user_id = "", device_id = "", duration_seconds, quality, playback_state } = its;
  if (flat.length === 0) return { state: "unknown" };
  if (id === undefined) return { state: "ended", user_id: user_id as UserId };
  return {
    state: "live",
    session: {
      id,
      user_id: user_id as UserId,
      content_id: its.content_id as ContentId,
      device_id,
      position_seconds: Number(its.position_seconds),
      duration_seconds: duration_seconds ? Number(duration_seconds) : null,
      playback_state: playback_state as Session["playback_state"],
      quality: quality || null,
      started_at: Number(its.started_at),
      updated_at: Number(its.updated_at),
      reports: Number(its.reports),
    },
  };
}
