import type { IndexModel } from "./index/model.ts";
import type { Script } from "./script.ts";

/** The Lua that writes the history views and their records in the index. KEYS are those of `historyKeys`. */
export type ViewScripts = { applyRows: Script; beginRefill: Script; finishRefill: Script };

export function viewScripts({ lua }: IndexModel): ViewScripts {
  const index = `local index = {}\n${lua.reading}\n${lua.writing}\n`;
  return {
    applyRows: { name: "applyRows", readOnly: false, source: index + LEAVE + APPLY_ROWS },
    beginRefill: { name: "beginRefill", readOnly: false, source: index + BEGIN_REFILL },
    finishRefill: { name: "finishRefill", readOnly: false, source: index + LEAVE + FINISH_REFILL },
  };
}

/** What `applyRows` says of a user who is cold, and of one whose records are in another index. */
const COLD = -1;
export const ELSEWHERE = -2;

/**
 * Takes an item out of a view that is in Postgres alone from now on. The version of its row stays, as `[[rev],[]]`: it
 * may have moved back, when a mark was taken back, and a slow projection of an older row, which stood higher, must not
 * bring it here again.
 */
const LEAVE = `
local function leave(user, id, packed)
  redis.call('ZREM', user.orderKey, id)
  redis.call('HSET', user.progressKey, id, string.match(packed, '^%[%[%d+') .. '],[]]')
end
`;

/**
 * Projects rows. Of an item the newer row and the newer content stay, each by its own version, so turns, refills,
 * rebuilds and catalogue changes may race; a cold user is left alone, for the next read refills it. A forgotten item
 * leaves its rev behind, so that a slow projection of an older row cannot bring it back. A record is written before
 * the progress that names its version: an index that fails leaves nothing behind that would keep it from being
 * written again.
 *
 * KEYS: those of each user, one user after the other (on a cluster one user a call). ARGV: history limit; number of
 * records, and each as an argument of the index; then for each user its id, index prefix, cleared_at or 0, number of
 * items, and for each item content_id, packed progress, and which of the records is its own, or 0.
 * Returns for each user `COLD`, `ELSEWHERE`, or how many cleared items are left to remove: call again, without items.
 */
const APPLY_ROWS = `
local limit = tonumber(ARGV[1])

-- Rows of which the viewer said something may have moved back; the clear alone keeps older ones of the others away.
local function clearUpTo(user, clear)
  local gone, bare = redis.call('ZRANGEBYSCORE', user.orderKey, '-inf', clear, 'LIMIT', 0, 500), {}
  if #gone == 0 then return 0 end
  local known = redis.call('HMGET', user.progressKey, unpack(gone))
  for i = 1, #gone do
    index.remove(user.prefix, gone[i])
    user.changed(gone[i])
    if string.find(known[i], '[^%]],%[') then leave(user, gone[i], known[i]) else bare[#bare + 1] = gone[i] end
  end
  redis.call('ZREM', user.orderKey, unpack(gone))
  if #bare > 0 then redis.call('HDEL', user.progressKey, unpack(bare)) end
  return redis.call('ZCOUNT', user.orderKey, '-inf', clear)
end

local function trim(user)
  local over = math.min(redis.call('ZCARD', user.orderKey) - limit, 1000)
  if over <= 0 then return end
  local gone = redis.call('ZRANGE', user.orderKey, 0, over - 1, 'WITHSCORES')
  for i = 1, #gone, 2 do
    index.remove(user.prefix, gone[i])
    leave(user, gone[i], redis.call('HGET', user.progressKey, gone[i]))
  end
  redis.call('HSET', user.stateKey, 'floor', gone[#gone])
end

-- The versions of a packed progress and the time of its row ('' when it is not in the history).
local function heads(packed)
  local rev, watched_at = string.match(packed, '^%[%[(%d+),?(%d*)')
  return tonumber(rev), watched_at, tonumber(string.match(packed, '%],%[(%d+)') or '0')
end

local function joined(row, content)
  local cut = string.find(row, '],[', 1, true)
  return string.sub(row, 1, cut) .. string.sub(content, string.find(content, '],[', 1, true) + 1)
end

local function applyItems(user, at, count)
  local ids, progress, order = {}, {}, {}
  for n = 1, count do ids[n] = ARGV[at + n * 3 - 3] end
  local known = redis.call('HMGET', user.progressKey, unpack(ids))
  for n = 1, count do
    local id, packed, record = ids[n], ARGV[at + n * 3 - 2], tonumber(ARGV[at + n * 3 - 1])
    local rev, watched_at, content_rev = heads(packed)
    local old, old_rev, old_at, old_content_rev = known[n], 0, '', 0
    if old then old_rev, old_at, old_content_rev = heads(old) end
    local newer, fuller = rev > old_rev, content_rev > old_content_rev
    -- The view let go of this very row: it is told when its content changed.
    local out_of_reach = old_at == '' and rev == old_rev and watched_at ~= ''
    if not newer and not out_of_reach then watched_at = old_at end
    if watched_at == '' then
      if newer then
        progress[#progress + 1] = id
        progress[#progress + 1] = packed
        redis.call('ZREM', user.orderKey, id)
        if old_content_rev > 0 then index.remove(user.prefix, id) end
        user.changed(id)
      end
    elseif (newer or fuller) and tonumber(watched_at) > user.lowest then
      if fuller and record > 0 then index.put(user.prefix, user.id, id, ARGV[2 + record])
      elseif fuller and old_content_rev > 0 then index.remove(user.prefix, id) end
      if not newer then packed = joined(old, packed)
      elseif content_rev < old_content_rev then packed = joined(packed, old) end
      progress[#progress + 1] = id
      progress[#progress + 1] = packed
      if newer then
        order[#order + 1] = watched_at
        order[#order + 1] = id
      end
      user.changed(id)
    elseif newer or (fuller and out_of_reach) then
      if old_content_rev > 0 then index.remove(user.prefix, id) end
      leave(user, id, packed)
      if old_at ~= '' or tonumber(watched_at) > user.cleared then user.changed(id) end
    end
  end
  index.flush(user.prefix)
  if #progress > 0 then redis.call('HSET', user.progressKey, unpack(progress)) end
  if #order > 0 and redis.call('ZADD', user.orderKey, unpack(order)) > 0 then trim(user) end
end

local function applyUser(key, at)
  local user = {
    id = ARGV[at], prefix = ARGV[at + 1],
    stateKey = KEYS[key], orderKey = KEYS[key + 1], progressKey = KEYS[key + 2],
  }
  local state = redis.call('HMGET', user.stateKey, 'epoch', 'seq', 'cleared', 'floor', 'index')
  if not state[1] then return ${COLD} end
  if state[5] ~= index.current() then return ${ELSEWHERE} end
  local before, clear, left, changes = tonumber(state[2] or '0'), tonumber(ARGV[at + 2]), 0, {}
  local seq, cleared, floor = before, tonumber(state[3] or '0'), tonumber(state[4] or '0')
  user.changed = function(id)
    seq = seq + 1
    changes[#changes + 1] = seq
    changes[#changes + 1] = id
  end
  if clear > cleared then
    if floor > cleared then redis.call('HINCRBY', user.stateKey, 'clears', 1) end
    cleared, seq = clear, seq + 1
    redis.call('HSET', user.stateKey, 'cleared', ARGV[at + 2])
  end
  user.cleared, user.lowest = cleared, math.max(cleared, floor)
  if clear > 0 then left = clearUpTo(user, ARGV[at + 2]) end
  local count = tonumber(ARGV[at + 3])
  if count > 0 then applyItems(user, at + 4, count) end
  if seq > before then redis.call('HSET', user.stateKey, 'seq', seq) end
  if #changes > 0 then redis.call('ZADD', KEYS[key + 3], unpack(changes)) end
  index.flush(user.prefix)
  return left
end

local left, at = {}, 3 + tonumber(ARGV[2])
for key = 1, #KEYS, 4 do
  left[#left + 1] = applyUser(key, at)
  at = at + 4 + tonumber(ARGV[at + 3]) * 3
end
return left
`;

/**
 * A refill begins: from here on turns project into this user. Refills of one user share a token, for all of
 * them read Postgres after it was set. ARGV: a new token, history limit.
 * Returns {token, 1 when the view is already warm}, or {} when its records are in another index: evict it first.
 */
const BEGIN_REFILL = `
local state = redis.call('HMGET', KEYS[1], 'epoch', 'warm', 'index')
local current = index.current()
if state[1] and state[3] ~= current then return {} end
if state[1] then return {state[1], state[2] and 1 or 0} end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'index', current, 'limit', ARGV[2])
return {ARGV[1], 0}
`;

/**
 * A refill ends: the view is warm if its token is still there; otherwise it was evicted meanwhile, and what
 * turns projected in between is lost. ARGV: token, floor (0: everything is here), index prefix.
 * Returns 1, or 0 for "again".
 */
const FINISH_REFILL = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local floor = math.max(tonumber(ARGV[2]), tonumber(redis.call('HGET', KEYS[1], 'floor') or '0'))
if floor > 0 then
  local text = string.format('%.0f', floor)
  local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text)
  for i = 1, #gone do
    index.remove(ARGV[3], gone[i])
    leave({ orderKey = KEYS[2], progressKey = KEYS[3] }, gone[i], redis.call('HGET', KEYS[3], gone[i]))
  end
  redis.call('HSET', KEYS[1], 'floor', text)
  index.flush(ARGV[3])
end
redis.call('HSET', KEYS[1], 'warm', 1)
return 1
`;
