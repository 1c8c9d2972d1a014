import type { UserId } from "../contract/ids.ts";
import type { NextUpKind } from "../contract/next-up.ts";

/**
 * Every key, stream and group name. Braces are Redis Cluster's hash tag: all keys of one user live in one
 * slot, so that one script may touch them. The stream's plain name hashes to the same slot as the keys that
 * carry it as their tag.
 */
export const eventStream = "stream:watch-history";
/** How many events (not entries) wait in the stream. */
export const backlogKey = "{stream:watch-history}:backlog";
/** Quarantine: poison, with its reason. */
export const deadStream = "{stream:watch-history}:dead";
export const ingestGroup = "ingest";

/** The bus: domain events as CloudEvents. In the slot of the event stream, so that one script may write to both. */
export const busStream = "events:{stream:watch-history}";
/** Domain events that a target will not have: with the reason, until they are replayed. */
export const deadEvents = "events:dead:{stream:watch-history}";

/**
 * A playback session, and, when it is over, for a while whose it was. In the slot of the event stream, so that its end
 * and its last event are one step.
 */
export function sessionKey(id: string): string {
  return `ps:session:{stream:watch-history}:${id}`;
}

/** Live playback sessions by when they were last heard of. */
export const sessionsDue = "ps:due:{stream:watch-history}";

/** A user's sessions by when they are forgotten; a live one is not until it ends. */
export function sessionsOf(user: UserId): string {
  return `ps:of:{stream:watch-history}:${user}`;
}

/** Who was erased and is not accepted again, by hash, so that no session of theirs begins, or is told of. */
export const erasedUsers = "ps:erased:{stream:watch-history}";

/** What the views of one user are made of, in the order in which the scripts take them. */
export function historyKeys(user: UserId): [state: string, order: string, progress: string, changes: string] {
  return [`wh:state:{${user}}`, `wh:order:{${user}}`, `wh:progress:{${user}}`, `wh:changes:{${user}}`];
}

/** Users whose views may be in Redis, by when they were last projected or refilled; outside users' slots. */
export const warmUsers = "wh:warm";

/** The search index over the history records, and the name of its making: views of an earlier one are cold. */
export const searchIndex = "wh:idx";
export const searchIndexMaking = "wh:index";

/** Model `redisearch`: the key of a history record is this followed by the content_id. */
export function recordPrefix(user: UserId): string {
  return `wh:record:{${user}}:`;
}

/** Model `sorted-sets`: followed by `records` it is the hash of records, followed by a term the set of its items. */
export function termPrefix(user: UserId): string {
  return `wh:term:{${user}}:`;
}

/** Model `json-array`: all records of a user. */
export function jsonKey(user: UserId): string {
  return `wh:json:{${user}}`;
}

/** What comes next for a user, as it was worked out last. */
export function nextUpKey(user: UserId, kind: NextUpKind): string {
  return `wh:next:{${user}}:${kind}`;
}

/** Views of what belongs to a user beside the history, in the slot of the history. They expire. */
export function profileKey(user: UserId): string {
  return `pf:profile:{${user}}`;
}
export function watchlistKey(user: UserId): string {
  return `pf:watchlist:{${user}}`;
}
export function ratingsKey(user: UserId): string {
  return `pf:ratings:{${user}}`;
}

/** Counts changes of the catalogue. */
export const catalogueGeneration = "wh:catalogue";

/**
 * A party that is on: `rev`, and the room as JSON. Rooms, their buffers and what they say are written by one script, so
 * the Redis of the stream is one server, not a cluster.
 */
export function partyRoomKey(party: string): string {
  return `wp:room:{${party}}`;
}

/** What happened in a party and is not known to be in Postgres. */
export function partyBuffer(party: string): string {
  return `wp:buffer:{${party}}`;
}

/** Somebody flushes that buffer because it is old: others need not. */
export function partyFlushClaim(party: string): string {
  return `wp:flushing:{${party}}`;
}

/** Parties with a room or a buffer, by when somebody has to look after them next: `inf` while nobody has to. */
export const partiesDue = "wp:due";

/** What rooms say, as the streams adapter of Socket.IO reads it: every process passes it on to whom it serves. */
export const partyBroadcasts = "wp:said";

/** What Postgres refuses of a party, with its reason. */
export const partyDead = "wp:dead";

/** Processes that serve members, and for each a key that lives only as long as it does. */
export const partyProcesses = "wp:processes";
export function partyLease(process: string): string {
  return `wp:alive:${process}`;
}

/** Connections of a user that were lost and may come back: by these names they are remembered. It expires. */
export function partyLost(user: UserId): string {
  return `wp:lost:{${user}}`;
}
export function partyLostConnection(name: string): string {
  return `${partyLostPrefix}${name}`;
}
export const partyLostPrefix = "wp:session:";

/** How often users ask: followed by the user in braces and a minute it is a counter, which expires. */
export const limitPrefix = "rl";

/** The counters of a user at a time in epoch milliseconds: of this minute, and of those beside it. */
export function limitKeys(user: UserId, now: number): string[] {
  const minute = Math.floor(now / 60_000);
  return [minute - 1, minute, minute + 1].map((its) => `${limitPrefix}:{${user}}:${its}`);
}
