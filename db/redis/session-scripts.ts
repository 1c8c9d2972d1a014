import type { Script } from "./script.ts";

/*
 * The Lua of playback sessions. A live session is a hash of its fields and a member of the order of sessions by when
 * they were last heard of; one that is over is a hash of `user_id` and `ended_at`, which expires.
 */

/** KEYS: session. Returns its fields and values: none when it is unknown. */
export const readSession: Script = {
  name: "readSession",
  readOnly: true,
  source: `return redis.call('HGETALL', KEYS[1])`,
};

/**
 * A session begins, unless its user was erased. KEYS: session, order, those of the user, the erased. ARGV: its id, the
 * time, the hash of the user, its fields and values. Returns whether it did.
 */
export const createSession: Script = {
  name: "createSession",
  readOnly: false,
  source: `
if redis.call('SISMEMBER', KEYS[4], ARGV[3]) == 1 then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[2])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[3], '+inf', ARGV[1])
redis.call('PERSIST', KEYS[3])
return 1
`,
};

/**
 * A position is reported: what is older than the last report changes nothing. The same as `reported` of the contract.
 *
 * KEYS: session, order. ARGV: id, when, position, playback state or "", quality or ""; the user and the content that it
 * must be of, or "" "".
 * Returns the fields and values of the session as it is now: none when there is no live one.
 */
export const reportPosition: Script = {
  name: "reportPosition",
  readOnly: false,
  source: `
local its = redis.call('HMGET', KEYS[1], 'updated_at', 'user_id', 'content_id')
local updated_at = its[1]
if not updated_at then return {} end
if ARGV[6] ~= '' and (its[2] ~= ARGV[6] or its[3] ~= ARGV[7]) then return {} end
if tonumber(ARGV[2]) >= tonumber(updated_at) then
  redis.call('HSET', KEYS[1], 'position_seconds', ARGV[3], 'updated_at', ARGV[2])
  if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'playback_state', ARGV[4]) end
  if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'quality', ARGV[5]) end
  redis.call('HINCRBY', KEYS[1], 'reports', 1)
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
end
return redis.call('HGETALL', KEYS[1])
`,
};

/**
 * A session ends as it was seen, in one step: its last event is in the event stream, its end is on the bus, and what is
 * left of it is whose it was. Or nothing happens at all: each key is looked at before the first is written. Of a user who
 * was erased nothing is left, and nothing is told.
 *
 * KEYS: session, order, event stream, backlog, bus, sessions of the user, the erased. ARGV: id; the number of reports
 * that was seen; when it ends; seconds for which its user is remembered; limit of the backlog; events and payload of the
 * last entry (0 and "" for none); the event for the bus; the hash of the user.
 * Returns "ended", "changed" when it was reported since it was seen, "gone" when there is no live one, or "full".
 */
export const endSession: Script = {
  name: "endSession",
  readOnly: false,
  source: `
local its = redis.call('HMGET', KEYS[1], 'reports', 'user_id')
redis.call('ZCARD', KEYS[2])
redis.call('XLEN', KEYS[3])
redis.call('XLEN', KEYS[5])
redis.call('ZCARD', KEYS[6])
local erased = redis.call('SISMEMBER', KEYS[7], ARGV[9]) == 1
if not its[1] then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 'gone'
end
if its[1] ~= ARGV[2] then return 'changed' end
if erased then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('DEL', KEYS[1])
  return 'gone'
end
local events = tonumber(ARGV[6])
if events > 0 then
  local backlog = tonumber(redis.call('GET', KEYS[4]) or '0')
  if backlog + events > tonumber(ARGV[5]) then return 'full' end
  redis.call('XADD', KEYS[3], '*', 'entry', ARGV[7], 'events', ARGV[6])
  redis.call('INCRBY', KEYS[4], events)
end
redis.call('XADD', KEYS[5], '*', 'user', its[2], 'event', ARGV[8])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'user_id', its[2], 'ended_at', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[6], ARGV[3] + ARGV[4] * 1000, ARGV[1])
if redis.call('ZCOUNT', KEYS[6], '+inf', '+inf') == 0 then redis.call('EXPIRE', KEYS[6], ARGV[4]) end
return 'ended'
`,
};

/**
 * Sessions of a user are gone, live or not, and nothing tells of it. KEYS: those of the user, order, each of them. ARGV:
 * their ids. Returns how many there were.
 */
export const eraseSessions: Script = {
  name: "eraseSessions",
  readOnly: false,
  source: `
redis.call('DEL', unpack(KEYS, 3))
redis.call('ZREM', KEYS[2], unpack(ARGV))
return redis.call('ZREM', KEYS[1], unpack(ARGV))
`,
};
