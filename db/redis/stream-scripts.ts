import type { Script } from "./script.ts";

/**
 * Appends entries unless the backlog would pass its limit. An entry is taken whole or not at all.
 *
 * KEYS: stream, backlog. ARGV: limit in events (not entries); then for each entry its events and its payload.
 * Returns for each entry its id, or "" when it was refused.
 */
export const appendEntries: Script = {
  name: "appendEntries",
  readOnly: false,
  source: `
local backlog, limit, added, ids = tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[1]), 0, {}
for i = 2, #ARGV, 2 do
  local events = tonumber(ARGV[i])
  if backlog + added + events > limit then
    ids[#ids + 1] = ''
  else
    ids[#ids + 1] = redis.call('XADD', KEYS[1], '*', 'entry', ARGV[i + 1], 'events', ARGV[i])
    added = added + events
  end
end
if added > 0 then redis.call('INCRBY', KEYS[2], added) end
return ids
`,
};

/**
 * Lets go of entries: poison goes to quarantine, all are acknowledged and deleted, in one step, so that the
 * stream's length is the backlog and no crash leaves poison in both places or in neither. What somebody else
 * has let go of already is not counted twice.
 *
 * KEYS: stream, backlog, dead stream. ARGV: group; number of poisonous; for each its payload, events and reason;
 * then the ids of all entries (2,000 at most), each with its events. Returns how many events were let go of.
 */
export const settleEntries: Script = {
  name: "settleEntries",
  readOnly: false,
  source: `
local poison, released, ids = tonumber(ARGV[2]), 0, {}
local first = 3 + poison * 3
for n = first, #ARGV, 2 do ids[#ids + 1] = ARGV[n] end
local mine = redis.call('XACK', KEYS[1], ARGV[1], unpack(ids))
if mine == #ids then
  redis.call('XDEL', KEYS[1], unpack(ids))
  for n = first + 1, #ARGV, 2 do released = released + tonumber(ARGV[n]) end
else
  for n = first, #ARGV, 2 do
    if redis.call('XDEL', KEYS[1], ARGV[n]) == 1 then released = released + tonumber(ARGV[n + 1]) end
  end
end
if mine > 0 then
  for n = 3, first - 1, 3 do
    redis.call('XADD', KEYS[3], '*', 'entry', ARGV[n], 'events', ARGV[n + 1], 'reason', ARGV[n + 2])
  end
end
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
elseif released > 0 then
  redis.call('DECRBY', KEYS[2], released)
end
return released
`,
};

/** Puts one quarantined entry back into the stream. KEYS: stream, backlog, dead stream. ARGV: its id. Returns 1, or 0 when it is gone. */
export const replayEntry: Script = {
  name: "replayEntry",
  readOnly: false,
  source: `
local found = redis.call('XRANGE', KEYS[3], ARGV[1], ARGV[1])[1]
if not found then return 0 end
local fields = found[2]
redis.call('XADD', KEYS[1], '*', fields[1], fields[2], fields[3], fields[4])
redis.call('INCRBY', KEYS[2], tonumber(fields[4]))
return redis.call('XDEL', KEYS[3], ARGV[1])
`,
};

/**
 * Forgets the names of consumers that are gone: silent for long and holding nothing. In one step, because to
 * forget a consumer is to forget what it holds. KEYS: stream. ARGV: group, milliseconds.
 */
export const dropSilentConsumers: Script = {
  name: "dropSilentConsumers",
  readOnly: false,
  source: `
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local its = {}
  for i = 1, #consumer, 2 do its[consumer[i]] = consumer[i + 1] end
  if its.pending == 0 and its.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], its.name)
  end
end
return 1
`,
};
