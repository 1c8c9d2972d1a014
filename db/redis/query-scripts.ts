import { PRECEDES } from "./history-scripts.ts";
import type { IndexModel } from "./index/model.ts";
import type { Script } from "./script.ts";

/** The Lua that answers what is narrowed by dimension, in one round trip. KEYS are those of `historyKeys`. */
export type QueryScripts = { search: Script; facets: Script; views: Script };

export function queryScripts({ lua }: IndexModel): QueryScripts {
  const head = `local index = {}\n${lua.reading}\n${STATE}`;
  return {
    search: { readOnly: true, source: `${head}\n${PRECEDES}\n${SEARCH}` },
    facets: { readOnly: true, source: `${head}\n${FACETS}` },
    views: { readOnly: true, source: `local index = {}\n${lua.reading}\n${VIEWS}` },
  };
}

/**
 * Only a warm view is believed, and only when its records are in this index: {"cold"} or {"other", the making of the
 * index they are in}. The client may already have this version: {"same", version}.
 *
 * ARGV, both scripts: the version that the client has, or ""; index prefix; number of assets and each of them (none:
 * any); three that are the script's own; whether what follows narrows (an index is asked in any case, for what is lost
 * with it must not pass for nothing); what `matching` takes.
 */
const STATE = `
local state = redis.call('HMGET', KEYS[1], 'warm', 'epoch', 'seq', 'cleared', 'floor', 'index')
if not state[1] then return {'cold'} end
if state[6] ~= index.current() then return {'other', state[6] or ''} end
local version = state[2] .. '.' .. (state[3] or '0')
if ARGV[1] == version then return {'same', version} end
local above = '(' .. string.format('%.0f', math.max(tonumber(state[4] or '0'), tonumber(state[5] or '0')))
local prefix, assets = ARGV[2], nil
local at = 4 + tonumber(ARGV[3])
for n = 4, at - 1 do
  assets = assets or {}
  assets[ARGV[n]] = true
end
local matches = #ARGV >= at + 4 and index.matching(prefix, at + 4) or nil
if ARGV[at + 3] == '0' then matches = nil end
local function wanted(id)
  return (assets == nil or assets[id]) and (matches == nil or matches[id])
end
`;

/**
 * Its own ARGV: limit; time and content_id of the cursor, or "" "".
 * Returns {"page", version, complete, ids, items, views}, each of the last three one JSON text, as `readHistory`.
 */
const SEARCH = `
local limit, after, ids, offset, chunk = tonumber(ARGV[at]) + 1, ARGV[at + 1], {}, 0, nil
repeat
  local from = after == '' and '+inf' or after
  chunk = redis.call('ZREVRANGEBYSCORE', KEYS[2], from, above, 'WITHSCORES', 'LIMIT', offset, 250)
  for i = 1, #chunk, 2 do
    local follows = chunk[i + 1] ~= after or precedes(chunk[i], ARGV[at + 2])
    if follows and #ids < limit and wanted(chunk[i]) then ids[#ids + 1] = chunk[i] end
  end
  offset = offset + 250
until #ids >= limit or #chunk < 500
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
local counts, ids = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], above, '+inf')) do
  if wanted(id) then ids[#ids + 1] = id end
end
for from = 1, #ids, 500 do
  local some = { unpack(ids, from, math.min(from + 499, #ids)) }
  for _, values in ipairs(index.values(prefix, some, ARGV[at])) do
    for hex in string.gmatch(values or '', '%x+') do counts[hex] = (counts[hex] or 0) + 1 end
  end
end
local pairs_ = {}
for hex, count in pairs(counts) do pairs_[#pairs_ + 1] = '["' .. hex .. '",' .. count .. ']' end
return {'facets', version, state[5] and 0 or 1, '[' .. table.concat(pairs_, ',') .. ']'}
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
