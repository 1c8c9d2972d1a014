import type { Script } from "./script.ts";

/*
 * The Lua of the history views. KEYS are those of `historyKeys`. Fields of the state hash:
 *
 *   epoch    token of the refill that made this view; absent: cold, and nothing may be written
 *   warm     present once that refill is complete: only then may the view be read
 *   seq      changes so far; epoch.seq is the version of the view
 *   cleared  everything up to this time is forgotten
 *   floor    items up to this time may be in Postgres alone; absent: everything is here
 */

/**
 * One page in one round trip.
 *
 * ARGV: limit; time and content_id of the cursor, or "" ""; the version that the client has, or "".
 * Returns {"cold"}, {"same", version} or {"page", version, complete, ids, items}: up to limit + 1 of both, each as one
 * JSON text, for one string costs every client less than a hundred. `complete` is 0 when what follows may be in
 * Postgres alone.
 *
 * Lua compares strings by locale and Redis orders them by bytes, hence `precedes`.
 */
export const readHistory: Script = {
  readOnly: true,
  source: `
local function precedes(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
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

/**
 * Projects rows. Per item the higher rev stays, so turns, refills and rebuilds may race; a cold user is left
 * alone, for the next read refills it. A forgotten item leaves its rev behind, so that a slow projection of an
 * older row cannot bring it back.
 *
 * KEYS: those of each user, one user after the other (on a cluster one user a call). ARGV: history limit; then
 * for each user its id, record prefix, cleared_at or 0, number of items, and for each item content_id, packed
 * progress, and what the catalogue adds to its record, or "".
 * Returns for each user -1 when cold, else how many cleared items are left to remove: call again, without items.
 */
export const applyRows: Script = {
  readOnly: false,
  source: `
local limit = tonumber(ARGV[1])

local function clearUpTo(user, clear)
  local gone = redis.call('ZRANGEBYSCORE', user.orderKey, '-inf', clear, 'LIMIT', 0, 500)
  if #gone == 0 then return 0 end
  for i = 1, #gone do
    redis.call('DEL', user.prefix .. gone[i])
    user.changed(gone[i])
  end
  redis.call('ZREM', user.orderKey, unpack(gone))
  redis.call('HDEL', user.progressKey, unpack(gone))
  return redis.call('ZCOUNT', user.orderKey, '-inf', clear)
end

local function trim(user)
  local over = math.min(redis.call('ZCARD', user.orderKey) - limit, 1000)
  if over <= 0 then return end
  local gone = redis.call('ZRANGE', user.orderKey, 0, over - 1, 'WITHSCORES')
  for i = 1, #gone, 2 do
    redis.call('ZREM', user.orderKey, gone[i])
    redis.call('HDEL', user.progressKey, gone[i])
    redis.call('DEL', user.prefix .. gone[i])
  end
  redis.call('HSET', user.stateKey, 'floor', gone[#gone])
end

local function applyItems(user, at, count)
  local ids, progress, order = {}, {}, {}
  for n = 1, count do ids[n] = ARGV[at + n * 3 - 3] end
  local known = redis.call('HMGET', user.progressKey, unpack(ids))
  for n = 1, count do
    local id, packed, catalogue = ids[n], ARGV[at + n * 3 - 2], ARGV[at + n * 3 - 1]
    local rev, record, position_at = string.match(packed, '^%[(%d+),?(%d*),?(%d*)')
    local knownRev, knownRecord = '0', ''
    if known[n] then knownRev, knownRecord = string.match(known[n], '^%[(%d+),?(%d*)') end
    local forgotten = position_at == ''
    if tonumber(rev) > tonumber(knownRev) and (forgotten or tonumber(position_at) > user.lowest) then
      progress[#progress + 1] = id
      progress[#progress + 1] = packed
      if forgotten then
        redis.call('ZREM', user.orderKey, id)
        redis.call('DEL', user.prefix .. id)
      else
        order[#order + 1] = position_at
        order[#order + 1] = id
        if record ~= knownRecord then
          redis.call('DEL', user.prefix .. id)
          redis.call('HSET', user.prefix .. id, 'user', user.id, 'content', id)
          if catalogue ~= '' then redis.call('HSET', user.prefix .. id, unpack(cjson.decode(catalogue))) end
        end
      end
      user.changed(id)
    end
  end
  if #progress > 0 then redis.call('HSET', user.progressKey, unpack(progress)) end
  if #order > 0 and redis.call('ZADD', user.orderKey, unpack(order)) > 0 then trim(user) end
end

local function applyUser(key, at)
  local user = {
    id = ARGV[at], prefix = ARGV[at + 1],
    stateKey = KEYS[key], orderKey = KEYS[key + 1], progressKey = KEYS[key + 2],
  }
  local state = redis.call('HMGET', user.stateKey, 'epoch', 'seq', 'cleared', 'floor')
  if not state[1] then return -1 end
  local before, clear, left, changes = tonumber(state[2] or '0'), tonumber(ARGV[at + 2]), 0, {}
  local seq, cleared = before, tonumber(state[3] or '0')
  user.changed = function(id)
    seq = seq + 1
    changes[#changes + 1] = seq
    changes[#changes + 1] = id
  end
  if clear > cleared then
    cleared, seq = clear, seq + 1
    redis.call('HSET', user.stateKey, 'cleared', ARGV[at + 2])
  end
  user.lowest = math.max(cleared, tonumber(state[4] or '0'))
  if clear > 0 then left = clearUpTo(user, ARGV[at + 2]) end
  local count = tonumber(ARGV[at + 3])
  if count > 0 then applyItems(user, at + 4, count) end
  if seq > before then redis.call('HSET', user.stateKey, 'seq', seq) end
  if #changes > 0 then redis.call('ZADD', KEYS[key + 3], unpack(changes)) end
  return left
end

local left, at = {}, 2
for key = 1, #KEYS, 4 do
  left[#left + 1] = applyUser(key, at)
  at = at + 4 + tonumber(ARGV[at + 3]) * 3
end
return left
`,
};

/**
 * A refill begins: from here on turns project into this user. Refills of one user share a token, for all of
 * them read Postgres after it was set. ARGV: a new token. Returns {token, 1 when the view is already warm}.
 */
export const beginRefill: Script = {
  readOnly: false,
  source: `
local state = redis.call('HMGET', KEYS[1], 'epoch', 'warm')
if state[1] then return {state[1], state[2] and 1 or 0} end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
return {ARGV[1], 0}
`,
};

/**
 * A refill ends: the view is warm if its token is still there; otherwise it was evicted meanwhile, and what
 * turns projected in between is lost. ARGV: token, floor (0: everything is here), record prefix.
 * Returns 1, or 0 for "again".
 */
export const finishRefill: Script = {
  readOnly: false,
  source: `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local floor = math.max(tonumber(ARGV[2]), tonumber(redis.call('HGET', KEYS[1], 'floor') or '0'))
if floor > 0 then
  local text = string.format('%.0f', floor)
  local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text)
  for i = 1, #gone do
    redis.call('ZREM', KEYS[2], gone[i])
    redis.call('HDEL', KEYS[3], gone[i])
    redis.call('DEL', ARGV[3] .. gone[i])
  end
  redis.call('HSET', KEYS[1], 'floor', text)
end
redis.call('HSET', KEYS[1], 'warm', 1)
return 1
`,
};

/** The user is cold again, records and all. ARGV: record prefix. */
export const evictUser: Script = {
  readOnly: false,
  source: `
for _, id in ipairs(redis.call('HKEYS', KEYS[3])) do redis.call('DEL', ARGV[1] .. id) end
return redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
`,
};
