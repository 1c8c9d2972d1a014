import type { Script } from "./script.ts";

/**
 * Takes the events of one user out of a stream of domain events, as far as one call goes. An entry without a field `user`
 * is its event's.
 *
 * KEYS: stream. ARGV: user, where to begin, how many entries to look at. Returns {where to go on or "", how many it took
 * out}.
 */
export const eraseEvents: Script = {
  name: "eraseEvents",
  readOnly: false,
  source: `
local entries = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])
local gone = {}
for _, entry in ipairs(entries) do
  local its = {}
  for n = 1, #entry[2], 2 do its[entry[2][n]] = entry[2][n + 1] end
  local user = its.user
  if not user and its.event and string.find(its.event, ARGV[1], 1, true) then
    local sound, event = pcall(cjson.decode, its.event)
    if sound and type(event) == 'table' then user = event.subject end
  end
  if user == ARGV[1] then gone[#gone + 1] = entry[1] end
end
if #gone > 0 then redis.call('XDEL', KEYS[1], unpack(gone)) end
local last = #entries == tonumber(ARGV[3]) and entries[#entries][1]
return {last and '(' .. last or '', #gone}
`,
};

/** Puts another entry in the place of one of a stream, or nothing, unless it is gone. KEYS: stream. ARGV: id, fields and values. */
export const replaceEntry: Script = {
  name: "replaceEntry",
  readOnly: false,
  source: `
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if #ARGV > 1 then redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2)) end
return 1
`,
};
