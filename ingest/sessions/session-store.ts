import type { Redis } from "ioredis";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";
import type { Entry, Heartbeat } from "../../db/contract/events.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import {
  type KnownSession,
  type PositionInput,
  type Session,
  userOfSession,
} from "../../db/contract/sessions.ts";
import { backlogKey, busStream, eventStream, sessionKey, sessionsDue } from "../../db/redis/keys.ts";
import { createSession, endSession, readSession, reportPosition } from "../../db/redis/session-scripts.ts";
import { knownSession, sessionFields } from "../../db/redis/sessions.ts";
import { runScript, runScripts } from "../redis.ts";

/** For a day the late events of an ended session still find its user. */
const REMEMBERED_SECONDS = 86_400;

/**
 * Playback sessions, in the Redis of the event stream. A live one never expires there: with it its last position would
 * be gone.
 *
 * Everything throws Refusal `unavailable` when that Redis is out of reach, and nothing else.
 */
export function sessionStore(
  redis: Redis,
  { backlogLimit, busKeeps }: { backlogLimit: number; busKeeps: number },
): SessionStore {
  async function read(id: string): Promise<KnownSession> {
    return knownSession(await runScript(redis, readSession, [sessionKey(id)], []));
  }

  return {
    read: reachable(read),

    userOf: reachable(async (id) => userOfSession(await read(id))),

    create: reachable(async (session) => {
      const { id, started_at } = session;
      const args = [id, started_at, ...sessionFields(session)];
      await runScript(redis, createSession, [sessionKey(id), sessionsDue], args);
    }),

    report: reachable(async (id, { position_seconds, playback_state, quality }, at) => {
      const args = [id, at, position_seconds, playback_state ?? "", quality ?? "", "", ""];
      const known = knownSession(await runScript(redis, reportPosition, [sessionKey(id), sessionsDue], args));
      return known.state === "live" ? known.session : null;
    }),

    hear: reachable(async (id, { user_id, content_id, playback_time, occurred_at, completes }) => {
      const state = completes ? "ended" : "";
      const args = [id, occurred_at, playback_time, state, "", user_id, content_id];
      await runScript(redis, reportPosition, [sessionKey(id), sessionsDue], args);
    }),

    end: reachable(async ({ id, reports }, { at, entry, event }) => {
      const keys = [sessionKey(id), sessionsDue, eventStream, backlogKey, busStream];
      const last = entry ? [entry.events.length, JSON.stringify([entry])] : [0, ""];
      const seen = [id, reports, at, REMEMBERED_SECONDS, backlogLimit];
      const args = [...seen, ...last, busKeeps, JSON.stringify(event)];
      return (await runScript(redis, endSession, keys, args)) as Ending;
    }),

    silent: reachable(async (since, max) => {
      const ids = await redis.zrange(sessionsDue, "-inf", `(${since}`, "BYSCORE", "LIMIT", 0, max);
      const calls = ids.map((id) => ({ keys: [sessionKey(id)], args: [] }));
      const known = (await runScripts(redis, readSession, calls)).map(knownOrThrow);
      // Somebody took its state away: there is nothing left to end.
      const lost = ids.filter((_, at) => known[at]?.state !== "live");
      if (lost.length > 0) await redis.zrem(sessionsDue, ...lost);
      return known.flatMap((its) => (its.state === "live" ? [its.session] : []));
    }),
  };
}

function knownOrThrow(reply: unknown): KnownSession {
  if (reply instanceof Error) throw reply;
  return knownSession(reply);
}

function reachable<A extends unknown[], T>(
  operation: (...args: A) => Promise<T>,
): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      return await operation(...args);
    } catch (cause) {
      throw new Refusal("unavailable", "the sessions are out of reach", { cause });
    }
  };
}

/** What became of ending a session as it was seen; "full": the backlog is, and the session lives on. */
export type Ending = "ended" | "changed" | "gone" | "full";

export type SessionStore = {
  read: (id: string) => Promise<KnownSession>;
  /** The user of a live session, or of one that has ended within the day. */
  userOf: (id: string) => Promise<UserId | null>;
  create: (session: Session) => Promise<void>;
  /** The session as it is after a report; null when there is no live one. */
  report: (id: string, input: PositionInput, at: number) => Promise<Session | null>;
  /** A heartbeat that names the session: a report, if it is of the session's user and content; else nothing. */
  hear: (id: string, heartbeat: Heartbeat & { user_id: UserId }) => Promise<void>;
  /** Ends a session as it was seen, with its last entry, if it has one, and its event, all in one step. */
  end: (session: Session, its: { at: number; entry: Entry | null; event: CloudEvent }) => Promise<Ending>;
  /** Up to so many live sessions that were not heard of since a time, the longest silent first. */
  silent: (since: number, max: number) => Promise<Session[]>;
};
