import { CEILING_SHARE, FLOOR_SECONDS } from "../resume.ts";

/**
 * What to continue, found on the way through the history, newest first, by the rule of `continueWatching`: whoever gets
 * it applies that one again, which has the last word. The walk ends with the last entry that is wanted.
 *
 * Its own ARGV: limit, "", "".
 * Returns {"page", version, complete, ids, items, views}, as `search`. `complete` is 0 when there are less than wanted,
 * and the view holds neither the whole history nor as much of it as is looked through.
 */
export const CONTINUE_WATCHING = `
local limit, ids, shows, walked, most, chunk = tonumber(ARGV[at]), {}, {}, 0, 50, nil

-- When it was last watched and last dismissed, if there is a position to resume from.
local function standing(packed)
  local position_at, position, duration, completed_at, from =
    string.match(packed, '^%[%[%d+,(%d+),([^,]+),([^,]+),(%d+),[^,%]]+()')
  position = tonumber(position)
  if position < ${FLOOR_SECONDS} then return nil end
  local last, marked_at, dismissed_at = string.match(packed, '^,%[(%d+),(%d+),[01],(%d+)%]', from)
  position_at = tonumber(last or position_at)
  if math.max(tonumber(completed_at), tonumber(marked_at or '0')) >= position_at then return nil end
  local its_duration, credits_at, live = string.match(packed, '%],%[%d+,([^,]+),([^,]+),([01])%]%]$', from)
  duration, credits_at = tonumber(duration) or tonumber(its_duration), tonumber(credits_at)
  if live == '1' or not duration or duration <= 0 then return nil end
  if position / duration > ${CEILING_SHARE} or (credits_at and position > credits_at) then return nil end
  return position_at, tonumber(dismissed_at or '0')
end

local function take(ids_of_chunk, items)
  local found, hidden = {}, {}
  for n = 1, #ids_of_chunk do
    local position_at, dismissed_at = standing(items[n])
    if position_at then
      found[#found + 1] = ids_of_chunk[n]
      hidden[#found] = dismissed_at >= position_at
    end
  end
  if #found == 0 then return end
  local names = index.values(prefix, found, 'show')
  for n = 1, #found do
    local show = string.match(names[n] or '', '%x+')
    if not (show and shows[show]) and #ids < limit then
      if show then shows[show] = true end
      if not hidden[n] then ids[#ids + 1] = found[n] end
    end
  end
end

repeat
  most = math.min(most * 2, 500)
  chunk = redis.call('ZREVRANGEBYSCORE', KEYS[2], '+inf', above, 'LIMIT', walked, most)
  if #chunk > 0 then take(chunk, redis.call('HMGET', KEYS[3], unpack(chunk))) end
  walked = walked + #chunk
until #ids >= limit or #chunk < most

local whole = tonumber(state[5] or '0') <= tonumber(state[4] or '0')
local enough = tonumber(redis.call('HGET', KEYS[1], 'limit')) or math.huge
local complete = (#ids >= limit or whole or walked >= enough) and 1 or 0
if #ids == 0 then return {'page', version, complete, '[]', '[]', '[]'} end
local items, views = redis.call('HMGET', KEYS[3], unpack(ids)), index.views(prefix, ids)
for n = 1, #ids do views[n] = views[n] or 'null' end
return {
  'page', version, complete, '["' .. table.concat(ids, '","') .. '"]', '[' .. table.concat(items, ',') .. ']',
  '[' .. table.concat(views, ',') .. ']',
}
`;
