import type { Script } from "./script.ts";

/*
 * The Lua of parties. What is kept is a list of JSON texts. What is said is a list of messages in the format of the
 * streams adapter of Socket.IO, each as five arguments: namespace, type, data, and, to be measured by, who says it and
 * when it was asked to. `uid` is one that no adapter has, so that all of them pass it on, that of the sender as well.
 */
const KEEP_AND_SAY = `
local function keep_and_say(at)
  local kept = tonumber(ARGV[at])
  for n = at + 1, at + kept do redis.call('XADD', KEYS[2], '*', 'record', ARGV[n]) end
  local last = ''
  for n = at + kept + 2, #ARGV, 5 do
    last = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[at + kept + 1], '*', 'uid', 'emitter',
      'nsp', ARGV[n], 'type', ARGV[n + 1], 'data', ARGV[n + 2], 'by', ARGV[n + 3], 'asked', ARGV[n + 4])
  end
  return last
end
`;

/**
 * Makes a room once; one that is open stays as it is.
 *
 * KEYS: room, buffer, due, broadcasts. ARGV: party, rev, room, when it is due, how many are kept, these, how many
 * broadcasts stay, what is said. Returns 1, or 0 when there was one.
 */
export const openPartyRoom: Script = {
  readOnly: false,
  source: `${KEEP_AND_SAY}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'rev', ARGV[2], 'room', ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
keep_and_say(5)
return 1
`,
};

/**
 * The one way in which a room changes: it is set only if it is still the one that was loaded, what is kept is appended
 * in the same step, and so is what is said, so that nobody hears of what could be lost.
 *
 * KEYS: room, buffer, due, broadcasts. ARGV: party, the rev that was loaded, the rev that it has then, the room or ""
 * when it stays as it is, when it is due, how many are kept, these, how many broadcasts stay, what is said.
 * Returns {"set", how many are in the buffer}, {"changed", the room as it is}, or {"gone"}.
 */
export const advancePartyRoom: Script = {
  readOnly: false,
  source: `${KEEP_AND_SAY}
local rev = redis.call('HGET', KEYS[1], 'rev')
if not rev then return {'gone'} end
if rev ~= ARGV[2] then return {'changed', redis.call('HGET', KEYS[1], 'room')} end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'rev', ARGV[3], 'room', ARGV[4])
  redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
end
keep_and_say(6)
return {'set', redis.call('XLEN', KEYS[2])}
`,
};

/**
 * Lets go of the beginning of a buffer: poison goes to quarantine in the same step, once, however many flush it.
 *
 * KEYS: buffer, dead stream. ARGV: the last id that is let go of, then for each that is poisonous its id, its text and
 * the reason.
 */
export const settlePartyBuffer: Script = {
  readOnly: false,
  source: `
for n = 2, #ARGV, 3 do
  if redis.call('XDEL', KEYS[1], ARGV[n]) == 1 then
    redis.call('XADD', KEYS[2], '*', 'entry', ARGV[n + 1], 'events', '1', 'reason', ARGV[n + 2], 'buffer', KEYS[1])
  end
end
local first = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', 1)[1]
if first then
  redis.call('XTRIM', KEYS[1], 'MINID', '=', first[1])
else
  redis.call('DEL', KEYS[1])
end
return 1
`,
};

/**
 * Forgets a party of which all is in Postgres. KEYS: room, buffer, due. ARGV: party, the rev of the room that was seen,
 * or "" for none. Returns 1, or 0 when something came meanwhile.
 */
export const closePartyRoom: Script = {
  readOnly: false,
  source: `
if redis.call('XLEN', KEYS[2]) > 0 or (redis.call('HGET', KEYS[1], 'rev') or '') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
`,
};

/**
 * Puts one quarantined record back into its buffer, where somebody looks after it soon. KEYS: dead stream, buffer, due.
 * ARGV: its id, the party. Returns 1, or 0 when it is gone.
 */
export const replayPartyRecord: Script = {
  readOnly: false,
  source: `
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not found then return 0 end
redis.call('XADD', KEYS[2], '*', 'record', found[2][2])
redis.call('ZADD', KEYS[3], 'NX', 0, ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[1])
`,
};
