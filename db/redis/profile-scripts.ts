import { PRECEDES } from "./history-scripts.ts";
import type { Script } from "./script.ts";

/*
 * The Lua of what belongs to a user beside the history. A view is one hash, which expires whole; absent is cold, and
 * "nothing" is a view, too. Its fields:
 *
 *   rev      the version of the row that it was made from
 *   body     profile: what is shown, as JSON; "" when nobody put one
 *   order    lists: `time_id` of each item, in order, with spaces between them
 *   :ID      lists: what is shown of this item, as JSON
 *   whole    ratings: 1 when older ones are not in Postgres alone
 *   made     watchlist: stands for what the catalogue said, which changes without a rev
 */

/**
 * Puts a view in the place of an older one. What there is of the same version stays, and expires when it would have: a
 * view is no older than its lifetime.
 *
 * It expires at a time that is counted from before Postgres was read: whoever read earlier and comes late, when the
 * newer view has expired, puts a view that has expired as well.
 *
 * ARGV: rev, when it expires in epoch milliseconds, then fields and values. Returns 1 when it was put.
 */
export const putProfileView: Script = {
  readOnly: false,
  source: `
local known = redis.pcall('HGET', KEYS[1], 'rev')
if type(known) == 'string' and tonumber(known) >= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'rev', ARGV[1])
for n = 3, #ARGV, 500 do
  redis.call('HSET', KEYS[1], unpack(ARGV, n, math.min(n + 499, #ARGV)))
end
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 1
`,
};

/** ARGV: the version that the client has, or "". Returns {"cold"}, {"same", version} or {"page", version, 1, body}. */
export const readProfile: Script = {
  readOnly: true,
  source: `
local view = redis.call('HMGET', KEYS[1], 'rev', 'body')
if not view[1] then return {'cold'} end
if view[1] == ARGV[1] then return {'same', view[1]} end
return {'page', view[1], 1, view[2]}
`,
};

/** One page of a list. ARGV: limit; time and content_id of the cursor, or "" "". */
const PAGE = `${PRECEDES}
local function pageOf(order)
  local limit, after, ids, places = tonumber(ARGV[1]) + 1, tonumber(ARGV[2]), {}, {}
  for place, time, id in string.gmatch(order, '((%d+)_(%S+))') do
    if #ids == limit then break end
    local at = tonumber(time)
    if not after or at < after or (at == after and precedes(id, ARGV[3])) then
      ids[#ids + 1] = ':' .. id
      places[#places + 1] = place
    end
  end
  if #ids == 0 then return {}, '', {} end
  return ids, table.concat(places, ' '), redis.call('HMGET', KEYS[1], unpack(ids))
end
`;

/**
 * One page of ratings. ARGV: those of a page; the version that the client has, or "".
 * Returns {"cold"}, {"same", version} or {"page", version, complete, places, items}: up to limit + 1 of both, the items
 * as one JSON text. `complete` is 0 when what follows may be in Postgres alone.
 */
export const readRatings: Script = {
  readOnly: true,
  source: `${PAGE}
local view = redis.call('HMGET', KEYS[1], 'rev', 'order', 'whole')
if not view[1] then return {'cold'} end
if view[1] == ARGV[4] then return {'same', view[1]} end
local ids, places, items = pageOf(view[2])
local complete = (view[3] == '1' or #ids > tonumber(ARGV[1])) and 1 or 0
return {'page', view[1], complete, places, '[' .. table.concat(items, ',') .. ']'}
`,
};

/**
 * One page of a watchlist, with how far the viewer came. KEYS: the watchlist, then state, order and progress of the
 * history. ARGV as for ratings.
 *
 * Returns {"cold", list, history}, each 1 when it is there, {"same", version} or {"page", version, complete, places,
 * items, progress}, the last two each as one JSON text. `complete` is 0 when the history may have one of these items in
 * Postgres alone.
 */
export const readWatchlist: Script = {
  readOnly: true,
  source: `${PAGE}
local view = redis.call('HMGET', KEYS[1], 'rev', 'order', 'made')
local state = redis.call('HMGET', KEYS[2], 'warm', 'epoch', 'seq', 'cleared', 'floor')
if not view[1] or not state[1] then return {'cold', view[1] and 1 or 0, state[1] and 1 or 0} end
local version = table.concat({view[1], view[3], state[2], state[3] or '0'}, '.')
if version == ARGV[4] then return {'same', version} end
local ids, places, items = pageOf(view[2])
if #ids == 0 then return {'page', version, 1, '', '[]', '[]'} end
local cleared, floor = tonumber(state[4] or '0'), tonumber(state[5] or '0')
for n = 1, #ids do ids[n] = string.sub(ids[n], 2) end
local times, progress = redis.call('ZMSCORE', KEYS[3], unpack(ids)), redis.call('HMGET', KEYS[4], unpack(ids))
local complete = 1
for n = 1, #ids do
  if not times[n] or tonumber(times[n]) <= math.max(cleared, floor) then
    local forgotten = progress[n] and string.find(progress[n], '],[0', 1, true)
    if floor > cleared and not forgotten then complete = 0 end
    progress[n] = 'null'
  end
end
return {
  'page', version, complete, places, '[' .. table.concat(items, ',') .. ']', '[' .. table.concat(progress, ',') .. ']',
}
`,
};

/** The arguments of a page, for a client that has this version of it. */
export function pageArguments(
  { limit, after }: { limit: number; after: { watched_at: number; content_id: string } | null },
  knownVersion: string,
): (string | number)[] {
  return [limit, after?.watched_at ?? "", after?.content_id ?? "", knownVersion];
}
