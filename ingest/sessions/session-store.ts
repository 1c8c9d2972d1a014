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
import {
  backlogKey,
  busStream,
  erasedUsers,
  eventStream,
  sessionKey,
  sessionsDue,
  sessionsOf,
} from "../../db/redis/keys.ts";
import {
  createSession,
  endSession,
  eraseSessions,
  readSession,
  reportPosition,
} from "../../db/redis/session-scripts.ts";
import { knownSession, sessionFields } from "../../db/redis/sessions.ts";
import { runScript, runScripts } from "../redis.ts";

/** For a day the late events of an ended session still find its user. */
const REMEMBERED_SECONDS = 86_400;
const ERASED_AT_ONCE = 500;

/**
 * Playback sessions, in the Redis of the event stream. A live one never expires there: with it its last position would
 * be gone.
 *
 * Everything throws Refusal `unavailable` when that Redis is out of reach, and nothing else.
 */
export function sessionStore(
  redis: Redis,
  { backlogLimit, hashOf = nobody }: { backlogLimit: number; hashOf?: (user: UserId) => string },
): SessionStore {
  async function read(id: string): Promise<KnownSession> {
    return knownSession(await runScript(redis, readSession, [sessionKey(id)], []));
  }

  return {
    read: reachable(read),

    userOf: reachable(async (id) => userOfSession(await read(id))),

    create: reachable(async (session) => {
      const { id, user_id, started_at } = session;
      const keys = [sessionKey(id), sessionsDue, sessionsOf(user_id), erasedUsers];
      const args = [id, started_at, hashOf(user_id), ...sessionFields(session)];
      return (await runScript(redis, createSession, keys, args)) === 1;
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

    end: reachable(async ({ id, user_id, reports }, { at, entry, event }) => {
      const streams = [eventStream, backlogKey, busStream];
      const keys = [sessionKey(id), sessionsDue, ...streams, sessionsOf(user_id), erasedUsers];
      const last = entry ? [entry.events.length, JSON.stringify([entry])] : [0, ""];
      const seen = [id, reports, at, REMEMBERED_SECONDS, backlogLimit];
      const args = [...seen, ...last, JSON.stringify(event), hashOf(user_id)];
      return (await runScript(redis, endSession, keys, args)) as Ending;
    }),

    known: reachable(async (user) => {
      const ids = await redis.zrange(sessionsOf(user), 0, -1);
      const calls = ids.map((id) => ({ keys: [sessionKey(id)], args: [] }));
      const known = (await runScripts(redis, readSession, calls)).map(knownOrThrow);
      return ids.flatMap((id, at) => {
        const its = known[at] ?? { state: "unknown" };
        return its.state === "unknown" ? [] : [{ id, known: its }];
      });
    }),

    erase: reachable(async (user) => {
      const ids = await redis.zrange(sessionsOf(user), 0, ERASED_AT_ONCE - 1);
      if (ids.length === 0) return 0;
      const keys = [sessionsOf(user), sessionsDue, ...ids.map(sessionKey)];
      return (await runScript(redis, eraseSessions, keys, ids)) as number;
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

/** Where there is no history nobody was erased. */
function nobody(): string {
  return "";
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

export type LiveOrEnded = Exclude<KnownSession, { state: "unknown" }>;

export type SessionStore = {
  read: (id: string) => Promise<KnownSession>;
  /** The user of a live session, or of one that has ended within the day. */
  userOf: (id: string) => Promise<UserId | null>;
  /** @returns false when its user was erased: there is none then. */
  create: (session: Session) => Promise<boolean>;
  /** The session as it is after a report; null when there is no live one. */
  report: (id: string, input: PositionInput, at: number) => Promise<Session | null>;
  /** A heartbeat that names the session: a report, if it is of the session's user and content; else nothing. */
  hear: (id: string, heartbeat: Heartbeat & { user_id: UserId }) => Promise<void>;
  /** Ends a session as it was seen, with its last entry, if it has one, and its event, all in one step. */
  end: (session: Session, its: { at: number; entry: Entry | null; event: CloudEvent }) => Promise<Ending>;
  /** The sessions of a user, live or remembered. */
  known: (user: UserId) => Promise<{ id: string; known: LiveOrEnded }[]>;
  /** Sessions of a user are gone, and nothing tells of it. @returns how many; more may be left. */
  erase: (user: UserId) => Promise<number>;
  /** Up to so many live sessions that were not heard of since a time, the longest silent first. */
  silent: (since: number, max: number) => Promise<Session[]>;
};
