import type { ChangesRequest } from "../contract/changes.ts";
import type { Script } from "./script.ts";

/**
 * What changed since a cursor, in one round trip. KEYS are those of `historyKeys`; of the state hash see there.
 *
 * The epoch of the feed is that of the view, a tilde, and how many clears took what is in Postgres alone: such items
 * have no entry among the changes, so a client has to start again. A cursor of another epoch, or one that is ahead of
 * the view, begins anew.
 *
 * ARGV: limit; epoch and sequence of the cursor, or "" "".
 * Returns {"cold"};
 * {"list", epoch, sequence, reset}: it starts from nothing, and what it starts from is in Postgres alone, in part;
 * {"changes", epoch, sequence, reset, has more, ids, items}, both as one JSON text: of each item what is packed, 0 when
 * it is gone, and null when only Postgres knows.
 */
export const readChanges: Script = {
  name: "readChanges",
  readOnly: true,
  source: `
local state = redis.call('HMGET', KEYS[1], 'warm', 'epoch', 'clears', 'seq', 'cleared', 'floor')
if not state[1] then return {'cold'} end
local epoch = state[2] .. '~' .. (state[3] or '0')
local seq, cleared, since = tonumber(state[4] or '0'), tonumber(state[5] or '0'), tonumber(ARGV[3]) or 0
local partly = tonumber(state[6] or '0') > cleared
local reset = 0
if ARGV[2] ~= epoch or since > seq then
  if ARGV[2] ~= '' then reset = 1 end
  if partly then return {'list', epoch, seq, reset} end
  since = 0
end
local limit, ids, last = tonumber(ARGV[1]), {}, since
local changes = redis.call(
  'ZRANGEBYSCORE', KEYS[4], '(' .. string.format('%.0f', since), '+inf', 'WITHSCORES', 'LIMIT', 0, limit + 1
)
local more = #changes > limit * 2
for n = 1, math.min(#changes, limit * 2), 2 do
  ids[#ids + 1] = changes[n]
  last = tonumber(changes[n + 1])
end
if not more then last = seq end
if #ids == 0 then return {'changes', epoch, last, reset, more and 1 or 0, '[]', '[]'} end
local items = redis.call('HMGET', KEYS[3], unpack(ids))
for n = 1, #ids do
  local watched_at = items[n] and string.match(items[n], '^%[%[%d+,(%d+)')
  if not watched_at then
    local forgotten = items[n] and string.find(items[n], '],[0', 1, true)
    items[n] = (partly and not forgotten) and 'null' or '0'
  elseif tonumber(watched_at) <= cleared then items[n] = '0' end
end
return {
  'changes', epoch, last, reset, more and 1 or 0,
  '["' .. table.concat(ids, '","') .. '"]', '[' .. table.concat(items, ',') .. ']',
}
`,
};

/** The arguments of the script. While a list is under way, it is asked only whether the cursor is still good. */
export function changesArguments({ since, limit }: ChangesRequest): (string | number)[] {
  return [since?.after ? 0 : limit, since?.epoch ?? "", since?.seq ?? ""];
}
