import type { Script } from "./script.ts";

/*
 * The Lua that reads the history views, whatever the index. KEYS are those of `historyKeys`. Fields of the state hash:
 *
 *   epoch    token of the refill that made this view; absent: cold, and nothing may be written
 *   index    the making of the index that its records are in, as `index.current()` gave it
 *   warm     present once that refill is complete: only then may the view be read
 *   seq      changes so far; epoch.seq is the version of the view
 *   cleared  everything up to this time is forgotten
 *   floor    items up to this time may be in Postgres alone; absent: everything is here
 *   clears   how many clears took items that are in Postgres alone, of which no change tells
 *   limit    how many items are kept here at most
 */

/** Lua compares strings by locale, and Redis orders them by bytes. */
export const PRECEDES = `
local function precedes(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
`;

/**
 * One page in one round trip.
 *
 * ARGV: limit; time and content_id of the cursor, or "" ""; the version that the client has, or "".
 * Returns {"cold"}, {"same", version} or {"page", version, complete, ids, items}: up to limit + 1 of both, each as one
 * JSON text, for one string costs every client less than a hundred. `complete` is 0 when what follows may be in
 * Postgres alone.
 */
export const readHistory: Script = {
  name: "readHistory",
  readOnly: true,
  source: `${PRECEDES}
local state = redis.call('HMGET', KEYS[1], 'warm', 'epoch', 'seq', 'cleared', 'floor')
if not state[1] then return {'cold'} end
local version = state[2] .. '.' .. (state[3] or '0')
if ARGV[4] == version then return {'same', version} end
local lowest = math.max(tonumber(state[4] or '0'), tonumber(state[5] or '0'))
local wanted = tonumber(ARGV[1]) + 1
local above = '(' .. string.format('%.0f', lowest)
local ids = {}
if ARGV[2] == '' then
  ids = redis.call('ZREVRANGEBYSCORE', KEYS[2], '+inf', above, 'LIMIT', 0, wanted)
else
  local offset, chunk = 0, nil
  repeat
    chunk = redis.call('ZREVRANGEBYSCORE', KEYS[2], ARGV[2], above, 'WITHSCORES', 'LIMIT', offset, wanted)
    for i = 1, #chunk, 2 do
      local follows = chunk[i + 1] ~= ARGV[2] or precedes(chunk[i], ARGV[3])
      if follows and #ids < wanted then ids[#ids + 1] = chunk[i] end
    end
    offset = offset + wanted
  until #ids >= wanted or #chunk < wanted * 2
end
local complete = (not state[5] or #ids >= wanted) and 1 or 0
if #ids == 0 then return {'page', version, complete, '[]', '[]'} end
local items = redis.call('HMGET', KEYS[3], unpack(ids))
return {
  'page', version, complete, '["' .. table.concat(ids, '","') .. '"]', '[' .. table.concat(items, ',') .. ']',
}
`,
};

/**
 * One item. ARGV: content_id. Returns {"cold"}, {"item", packed} or {"absent", complete}: `complete` is 0 when
 * it may be in Postgres alone.
 */
export const readItem: Script = {
  name: "readItem",
  readOnly: true,
  source: `
local state = redis.call('HMGET', KEYS[1], 'warm', 'cleared', 'floor')
if not state[1] then return {'cold'} end
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if score and tonumber(score) > math.max(tonumber(state[2] or '0'), tonumber(state[3] or '0')) then
  return {'item', redis.call('HGET', KEYS[3], ARGV[1])}
end
return {'absent', state[3] and 0 or 1}
`,
};
