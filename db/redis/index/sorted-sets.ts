import { termPrefix } from "../keys.ts";
import { termOf } from "../records.ts";
import type { IndexModel } from "./model.ts";

/**
 * A set of items for every term of a user, intersected when asked; their order is the history's own sorted set. The
 * records are one hash: what is shown, a line feed (which JSON never holds), and the terms.
 */
export const sortedSets: IndexModel = {
  name: "sorted-sets",
  prefix: termPrefix,
  recordArgument: ({ view, terms }) => `${view}\n${terms.join(" ")}`,
  filterArguments: (_, alternatives) =>
    alternatives.flatMap(({ dimension, anyOf }) => [
      String(anyOf.length),
      ...anyOf.map((value) => termOf(dimension, value)),
    ]),
  lua: {
    reading: `
function index.current() return 'sorted-sets' end
function index.alive() end
function index.matching(prefix, at)
  local singles, unions = {}, {}
  while at <= #ARGV do
    local keys = {}
    for n = 1, tonumber(ARGV[at]) do keys[n] = prefix .. ARGV[at + n] end
    if #keys == 1 then singles[#singles + 1] = keys[1] else unions[#unions + 1] = redis.call('SUNION', unpack(keys)) end
    at = at + 1 + #keys
  end
  if #singles > 0 then unions[#unions + 1] = redis.call('SINTER', unpack(singles)) end
  local ids = unions[#unions]
  for n = 1, #unions - 1 do
    local set, both = {}, {}
    for _, id in ipairs(unions[n]) do set[id] = true end
    for _, id in ipairs(ids) do
      if set[id] then both[#both + 1] = id end
    end
    ids = both
  end
  return ids
end
function index.views(prefix, ids)
  local views = redis.call('HMGET', prefix .. 'records', unpack(ids))
  for n = 1, #ids do views[n] = views[n] and string.match(views[n], '^[^\\n]*') end
  return views
end
function index.values(prefix, ids, dimension)
  local values = redis.call('HMGET', prefix .. 'records', unpack(ids))
  for n = 1, #ids do
    if values[n] then
      local its = {}
      local terms = string.match(values[n], '\\n(.*)$')
      for hex in string.gmatch(terms, dimension .. ':(%x+)') do its[#its + 1] = hex end
      values[n] = table.concat(its, ',')
    end
  end
  return values
end
`,
    writing: `
function index.remove(prefix, id)
  local record = redis.call('HGET', prefix .. 'records', id)
  if not record then return end
  for term in string.gmatch(string.match(record, '\\n(.*)$'), '%S+') do redis.call('SREM', prefix .. term, id) end
  redis.call('HDEL', prefix .. 'records', id)
end
function index.flush() end
function index.put(prefix, user, id, argument)
  index.remove(prefix, id)
  redis.call('HSET', prefix .. 'records', id, argument)
  for term in string.gmatch(string.match(argument, '\\n(.*)$'), '%S+') do redis.call('SADD', prefix .. term, id) end
end
`,
    drop: `
function(prefix)
  local count = redis.call('HLEN', prefix .. 'records')
  for _, record in ipairs(redis.call('HVALS', prefix .. 'records')) do
    for term in string.gmatch(string.match(record, '\\n(.*)$'), '%S+') do redis.call('DEL', prefix .. term) end
  end
  redis.call('DEL', prefix .. 'records')
  return count
end
`,
  },
};
