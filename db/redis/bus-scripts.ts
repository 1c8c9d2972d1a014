import type { Script } from "./script.ts";

/*
 * The Lua of the bus: a stream of domain events, each with its user in a field of its own, so that what is somebody's
 * is found without opening it. Each target that events are forwarded to is a consumer group.
 */

/**
 * Puts events on the bus, in their order. KEYS: bus. ARGV: one text with two lines for each, its user and itself: neither
 * holds a line break, and one argument is cheaper than a thousand. Returns how many.
 */
export const publishEvents: Script = {
  name: "publishEvents",
  readOnly: false,
  source: `
local call, find, sub = redis.call, string.find, string.sub
local bus, text, from, count = KEYS[1], ARGV[1], 1, 0
while from <= #text do
  local user_end = find(text, '\\n', from, true)
  local event_end = find(text, '\\n', user_end + 1, true)
  call('XADD', bus, '*', 'user', sub(text, from, user_end - 1), 'event', sub(text, user_end + 1, event_end - 1))
  from = event_end + 1
  count = count + 1
end
return count
`,
};

/**
 * Trims the bus to about so many events, but to none that a group has not let go of: of a group that is not there yet
 * that is all of them. Trims a bounded number at a time, whole nodes of the stream.
 *
 * KEYS: bus. ARGV: how many stay at least; how many to trim at most; the groups.
 * Returns how many were trimmed, then for each group how many wait for it: those that it has not let go of and new ones.
 * Of these Redis may count some that were erased, while any is there; where it does not know they are counted to 10,000.
 */
export const tendBus: Script = {
  name: "tendBus",
  readOnly: false,
  source: `
local function older(a, b)
  local a_ms, a_seq = a:match('(%d+)-(%d+)')
  local b_ms, b_seq = b:match('(%d+)-(%d+)')
  if a_ms ~= b_ms then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_seq) < tonumber(b_seq)
end
local length, known = redis.call('XLEN', KEYS[1]), {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local its = {}
    for i = 1, #group, 2 do its[group[i]] = group[i + 1] end
    known[its.name] = its
  end
end
local reply, floor = { 0 }, nil
for n = 3, #ARGV do
  local its = known[ARGV[n]]
  local oldest = '0-0'
  if its then
    oldest = its['last-delivered-id']
    local function after(count) return #redis.call('XRANGE', KEYS[1], '(' .. oldest, '+', 'COUNT', count) end
    local lag = after(1)
    if lag > 0 then lag = its.lag or after(10000) end
    if its.pending > 0 then oldest = redis.call('XPENDING', KEYS[1], ARGV[n])[2] end
    reply[n - 1] = its.pending + lag
  else
    reply[n - 1] = length
  end
  if not floor or older(oldest, floor) then floor = oldest end
end
local excess = math.min(length - tonumber(ARGV[1]), tonumber(ARGV[2]))
if excess > 0 then
  if floor then reply[1] = redis.call('XTRIM', KEYS[1], 'MINID', '~', floor, 'LIMIT', excess)
  else reply[1] = redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', length - excess) end
end
return reply
`,
};

/**
 * Lets go of an event that a target will not have, and sets it aside, in one step: once, whoever else tries.
 *
 * KEYS: bus, dead events. ARGV: group; id of the entry; its user, itself; why; when; how many stay set aside, about.
 * Returns 1, or 0 when it was let go of already.
 */
export const setEventAside: Script = {
  name: "setEventAside",
  readOnly: false,
  source: `
redis.call('XLEN', KEYS[2])
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], '*', 'user', ARGV[3], 'event', ARGV[4],
  'target', ARGV[1], 'reason', ARGV[5], 'at', ARGV[6])
return 1
`,
};

/** Puts an event that was set aside on the bus again. KEYS: bus, dead events. ARGV: its id. Returns 1, or 0 when it is gone. */
export const replayEvent: Script = {
  name: "replayEvent",
  readOnly: false,
  source: `
local found = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
if not found then return 0 end
local its = {}
for i = 1, #found[2], 2 do its[found[2][i]] = found[2][i + 1] end
redis.call('XADD', KEYS[1], '*', 'user', its.user, 'event', its.event)
return redis.call('XDEL', KEYS[2], ARGV[1])
`,
};
