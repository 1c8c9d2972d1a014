import { jsonKey } from "../keys.ts";
import { termOf } from "../records.ts";
import type { IndexModel } from "./model.ts";

/**
 * All records of a user as one JSON array, an element a line: `["id",{what is shown},["term",...]]`. JSON holds no
 * bare line feed, and terms hold no bracket, so the scripts need not parse what they only pass on.
 */
export const jsonArray: IndexModel = {
  name: "json-array",
  prefix: jsonKey,
  recordArgument: ({ view, terms }) => `${view},${JSON.stringify(terms)}`,
  filterArguments: (_, alternatives) =>
    alternatives.flatMap(({ dimension, anyOf }) => [
      String(anyOf.length),
      ...anyOf.map((value) => `"${termOf(dimension, value)}"`),
    ]),
  lua: {
    reading: `
local ELEMENT = '^%["([^"]+)",(.*),(%b[])%],?$'
local function elements(prefix)
  return string.gmatch(redis.call('GET', prefix) or '', '[^\\n]+')
end
local function fulfils(terms, at)
  while at <= #ARGV do
    local count, any = tonumber(ARGV[at]), false
    for n = 1, count do any = any or string.find(terms, ARGV[at + n], 1, true) ~= nil end
    if not any then return false end
    at = at + 1 + count
  end
  return true
end
local function elementsOf(prefix, ids, part)
  local wanted, parts = {}, {}
  for n = 1, #ids do wanted[ids[n]], parts[n] = n, false end
  for element in elements(prefix) do
    local id, view, terms = string.match(element, ELEMENT)
    if id and wanted[id] then parts[wanted[id]] = part(view, terms) end
  end
  return parts
end
function index.current() return 'json-array' end
function index.alive() end
function index.matching(prefix, at)
  local ids = {}
  for element in elements(prefix) do
    local id, _, terms = string.match(element, ELEMENT)
    if id and fulfils(terms, at) then ids[#ids + 1] = id end
  end
  return ids
end
function index.views(prefix, ids)
  return elementsOf(prefix, ids, function(view) return view end)
end
function index.values(prefix, ids, dimension)
  return elementsOf(prefix, ids, function(_, terms)
    local its = {}
    for hex in string.gmatch(terms, '"' .. dimension .. ':(%x+)"') do its[#its + 1] = hex end
    return table.concat(its, ',')
  end)
end
`,
    writing: `
local changing = {}
local function elementsByIdOf(prefix)
  if not changing[prefix] then
    local byId = {}
    for element in elements(prefix) do
      local id, view, terms = string.match(element, ELEMENT)
      if id then byId[id] = view .. ',' .. terms end
    end
    changing[prefix] = byId
  end
  return changing[prefix]
end
function index.remove(prefix, id) elementsByIdOf(prefix)[id] = nil end
function index.put(prefix, user, id, argument) elementsByIdOf(prefix)[id] = argument end
function index.flush(prefix)
  if not changing[prefix] then return end
  local lines = {}
  for id, argument in pairs(changing[prefix]) do lines[#lines + 1] = '["' .. id .. '",' .. argument .. ']' end
  changing[prefix] = nil
  redis.call('SET', prefix, '[\\n' .. table.concat(lines, ',\\n') .. '\\n]')
end
`,
    drop: `
function(prefix)
  local _, lines = string.gsub(redis.call('GET', prefix) or '', '\\n', '')
  redis.call('DEL', prefix)
  return math.max(0, lines - 1)
end
`,
  },
};
