import { type Alternative, DIMENSIONS } from "../../contract/dimensions.ts";
import type { UserId } from "../../contract/ids.ts";
import { recordPrefix, searchIndex, searchIndexMaking } from "../keys.ts";
import { hexOf, type PackedRecord } from "../records.ts";
import type { IndexModel } from "./model.ts";

/** 1 is RediSearch 1.x (module `ft`), 2 is everything since (module `search`, Redis 8). */
export type Generation = 1 | 2;

/**
 * A hash a record, under one search index over the records of everybody. The user is a TAG like any other, first in
 * every query, so that a search begins with the few records of one user.
 *
 * Generation 1 is told of every change and of every removal; generation 2 watches the keys by itself.
 */
export function redisearch(generation: Generation): IndexModel {
  return {
    name: "redisearch",
    prefix: recordPrefix,
    recordArgument,
    filterArguments: (user, alternatives) => [searchQuery(user, alternatives)],
    lua: { reading, writing: writing(generation), drop },
  };
}

/** The command that makes the index. */
export function createIndex(generation: Generation): string[] {
  const over = generation === 1 ? [] : ["ON", "HASH", "PREFIX", "1", "wh:record:"];
  const fields = ["user", ...DIMENSIONS].flatMap((name) => [name, "TAG"]);
  return ["FT.CREATE", searchIndex, ...over, "SCHEMA", ...fields];
}

/** The command that removes the index and leaves the records where they are. */
export function dropIndex(generation: Generation): string[] {
  return generation === 1 ? ["FT.DROP", searchIndex, "KEEPDOCS"] : ["FT.DROPINDEX", searchIndex];
}

/** Hex needs no escape, is one word for every tokenizer, and has no case. */
export function searchQuery(user: UserId, alternatives: readonly Alternative[]): string {
  const parts = alternatives.map(({ dimension, anyOf }) => `@${dimension}:{${anyOf.map(hexOf).join("|")}}`);
  return [`@user:{${hexOf(user)}}`, ...parts].join(" ");
}

/** Fields and values of the hash, alternating; the script adds the user. TAG values are separated by commas. */
function recordArgument({ view, terms }: PackedRecord): string {
  const values = new Map<string, string[]>();
  for (const term of terms) {
    const [dimension = "", hex = ""] = term.split(":");
    values.set(dimension, [...(values.get(dimension) ?? []), hex]);
  }
  return JSON.stringify(["view", view, ...[...values].flatMap(([name, hexes]) => [name, hexes.join(",")])]);
}

const reading = `
function index.current()
  return 'redisearch:' .. (redis.call('GET', '${searchIndexMaking}') or '')
end
function index.alive()
  redis.call('FT.SEARCH', '${searchIndex}', '@user:{0}', 'NOCONTENT', 'LIMIT', 0, 1)
end
function index.matching(prefix, at)
  local ids, most = {}, redis.call('HLEN', KEYS[3])
  if most == 0 then return ids end
  local found = redis.call('FT.SEARCH', '${searchIndex}', ARGV[at], 'NOCONTENT', 'LIMIT', 0, most)
  if found[1] > #found - 1 then error('the index holds more of this user than the view') end
  for n = 2, #found do ids[n - 1] = string.sub(found[n], #prefix + 1) end
  return ids
end
function index.views(prefix, ids)
  local views = {}
  for n = 1, #ids do views[n] = redis.call('HGET', prefix .. ids[n], 'view') end
  return views
end
function index.values(prefix, ids, dimension)
  local values = {}
  for n = 1, #ids do values[n] = redis.call('HGET', prefix .. ids[n], dimension) end
  return values
end
`;

function writing(generation: Generation): string {
  return `
function index.remove(prefix, id)
  ${generation === 1 ? `redis.call('FT.DEL', '${searchIndex}', prefix .. id, 'DD')` : ""}
  redis.call('DEL', prefix .. id)
end
function index.flush() end
function index.put(prefix, user, id, argument)
  local key = prefix .. id
  local hex = string.gsub(user, '.', function(c) return string.format('%02x', string.byte(c)) end)
  redis.call('DEL', key)
  redis.call('HSET', key, 'user', hex, unpack(cjson.decode(argument)))
  ${generation === 1 ? ADD_HASH : ""}
end
`;
}

/** A record that the index did not take is not left lying about, where no eviction would find it. */
const ADD_HASH = `
  local added = redis.pcall('FT.ADDHASH', '${searchIndex}', key, 1, 'REPLACE')
  if type(added) == 'table' and added.err then
    redis.call('DEL', key)
    error(added.err)
  end`;

/** The records of the view, and whatever else the index holds of the user; the server may have no such commands by now. */
const drop = `
function(prefix, ids)
  local records = {}
  for n = 1, #ids do records[n] = prefix .. ids[n] end
  local hex = string.gsub(string.match(prefix, '{(.*)}'), '.', function(c) return string.format('%02x', string.byte(c)) end)
  local found = redis.pcall('FT.SEARCH', '${searchIndex}', '@user:{' .. hex .. '}', 'NOCONTENT', 'LIMIT', 0, 100000)
  for n = 2, #found do records[#records + 1] = found[n] end
  local count = 0
  for n = 1, #records do
    count = count + redis.call('EXISTS', records[n])
    redis.pcall('FT.DEL', '${searchIndex}', records[n], 'DD')
    redis.call('DEL', records[n])
  end
  return count
end
`;
