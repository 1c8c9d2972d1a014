import { CONTINUE_WATCHING } from "./continue-script.ts";
import { PRECEDES } from "./history-scripts.ts";
import type { IndexModel } from "./index/model.ts";
import type { Script } from "./script.ts";

/** The Lua that answers what takes the records, such as what is narrowed by dimension, in one round trip. KEYS are those of `historyKeys`. */
export type QueryScripts = { search: Script; facets: Script; continueWatching: Script; views: Script };

export function queryScripts({ lua }: IndexModel): QueryScripts {
  const head = `local index = {}\n${lua.reading}\n${STATE}`;
  return {
    search: { name: "search", readOnly: true, source: `${head}\n${PRECEDES}\n${SEARCH}` },
    facets: { name: "facets", readOnly: true, source: `${head}\n${FACETS}` },
    continueWatching: { name: "continueWatching", readOnly: true, source: `${head}\n${CONTINUE_WATCHING}` },
    views: { name: "views", readOnly: true, source: `local index = {}\n${lua.reading}\n${VIEWS}` },
  };
}

/**
 * Only a warm view is believed, and only when its records are in this index: {"cold"} or {"other", the making of the
 * index they are in}. The client may already have this version: {"same", version}.
 *
 * ARGV, all scripts: the version that the client has, or ""; index prefix; number of assets and each of them (none:
 * any); three that are the script's own; then what `matching` takes (nothing: any).
 *
 * `listed` are the items that may be wanted, in no order; nil for all.
 */
const STATE = `
local state = redis.call('HMGET', KEYS[1], 'warm', 'epoch', 'seq', 'cleared', 'floor', 'index')
if not state[1] then return {'cold'} end
if state[6] ~= index.current() then return {'other', state[6] or ''} end
local version = state[2] .. '.' .. (state[3] or '0')
if ARGV[1] == version then return {'same', version} end
local lowest = math.max(tonumber(state[4] or '0'), tonumber(state[5] or '0'))
local above, prefix, at, listed = '(' .. string.format('%.0f', lowest), ARGV[2], 4 + tonumber(ARGV[3]), nil
if #ARGV > at + 2 then listed = index.matching(prefix, at + 3) else index.alive() end
if at > 4 and listed == nil then listed = { unpack(ARGV, 4, at - 1) }
elseif at > 4 then
  local assets, both = {}, {}
  for n = 4, at - 1 do assets[ARGV[n]] = true end
  for _, id in ipairs(listed) do
    if assets[id] then both[#both + 1] = id end
  end
  listed = both
end
local function scoresOf(from)
  return redis.call('ZMSCORE', KEYS[2], unpack(listed, from, math.min(from + 499, #listed)))
end
`;

/**
 * Few that are listed are put in order; many are met on the way through the history, which is in order.
 *
 * Its own ARGV: limit; time and content_id of the cursor, or "" "".
 * Returns {"page", version, complete, ids, items, views}, each of the last three one JSON text, as `readHistory`.
 */
const SEARCH = `
local limit, after, ids = tonumber(ARGV[at]) + 1, tonumber(ARGV[at + 1]), {}
local function follows(id, score)
  return after == nil or score < after or (score == after and precedes(id, ARGV[at + 2]))
end

local function rank()
  local found = {}
  for from = 1, #listed, 500 do
    for n, score in ipairs(scoresOf(from)) do
      local id, time = listed[from + n - 1], tonumber(score or '0')
      if time > lowest and follows(id, time) then found[#found + 1] = { id = id, time = time } end
    end
  end
  table.sort(found, function(a, b)
    if a.time ~= b.time then return a.time > b.time end
    return precedes(b.id, a.id)
  end)
  for n = 1, math.min(limit, #found) do ids[n] = found[n].id end
end

local function walk()
  local wanted, offset, chunk = nil, 0, nil
  if listed then
    wanted = {}
    for _, id in ipairs(listed) do wanted[id] = true end
  end
  repeat
    local from = after == nil and '+inf' or ARGV[at + 1]
    chunk = redis.call('ZREVRANGEBYSCORE', KEYS[2], from, above, 'WITHSCORES', 'LIMIT', offset, 250)
    for i = 1, #chunk, 2 do
      local id = chunk[i]
      if #ids < limit and (wanted == nil or wanted[id]) and follows(id, tonumber(chunk[i + 1])) then ids[#ids + 1] = id end
    end
    offset = offset + 250
  until #ids >= limit or #chunk < 500
end

if listed and #listed * 4 < redis.call('ZCARD', KEYS[2]) then rank() else walk() end
local complete = (not state[5] or #ids >= limit) and 1 or 0
if #ids == 0 then return {'page', version, complete, '[]', '[]', '[]'} end
local items, views = redis.call('HMGET', KEYS[3], unpack(ids)), index.views(prefix, ids)
for n = 1, #ids do views[n] = views[n] or 'null' end
return {
  'page', version, complete, '["' .. table.concat(ids, '","') .. '"]', '[' .. table.concat(items, ',') .. ']',
  '[' .. table.concat(views, ',') .. ']',
}
`;

/**
 * Its own ARGV: the dimension, "", "".
 * Returns {"facets", version, complete, values and counts as the JSON text [[hex, count], ...]}.
 */
const FACETS = `
local ids, counts, found = {}, {}, {}
if listed == nil then ids = redis.call('ZRANGEBYSCORE', KEYS[2], above, '+inf')
else
  for from = 1, #listed, 500 do
    for n, score in ipairs(scoresOf(from)) do
      if tonumber(score or '0') > lowest then ids[#ids + 1] = listed[from + n - 1] end
    end
  end
end
for from = 1, #ids, 500 do
  local some = { unpack(ids, from, math.min(from + 499, #ids)) }
  for _, values in ipairs(index.values(prefix, some, ARGV[at])) do
    for hex in string.gmatch(values or '', '%x+') do counts[hex] = (counts[hex] or 0) + 1 end
  end
end
for hex, count in pairs(counts) do found[#found + 1] = '["' .. hex .. '",' .. count .. ']' end
return {'facets', version, state[5] and 0 or 1, '[' .. table.concat(found, ',') .. ']'}
`;

/**
 * What is shown of items, whether or not the view lists them. ARGV: index prefix, and the ids.
 * Returns {"views", JSON or "" of each} or {"other"}.
 */
const VIEWS = `
if redis.call('HGET', KEYS[1], 'index') ~= index.current() then return {'other'} end
local found = {'views'}
for from = 2, #ARGV, 500 do
  local some = { unpack(ARGV, from, math.min(from + 499, #ARGV)) }
  for _, view in ipairs(index.views(ARGV[1], some)) do found[#found + 1] = view or '' end
end
return found
`;
