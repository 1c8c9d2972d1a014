import type { IndexModel } from "./index/model.ts";
import type { Script } from "./script.ts";

/**
 * Lets go of a state that only says that the view is being removed: unless another removal, which began later, has put
 * its own name there. ARGV: the name.
 */
export const endRemoval: Script = {
  name: "endRemoval",
  readOnly: false,
  source: `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`,
};

/**
 * The user is cold again, with all its records, in whichever index they are. KEYS: those of `historyKeys`.
 * ARGV: name and prefix of each model. Returns how many keys and records there were.
 */
export function evictScript(models: readonly IndexModel[]): Script {
  const drops = models.map(({ name, lua }) => `['${name}'] = ${lua.drop.trim()}`);
  return {
    readOnly: false,
    source: `
local drop = { ${drops.join(",\n")} }
local records = 0
local making = redis.call('HGET', KEYS[1], 'index') or ''
for n = 1, #ARGV, 2 do
  if string.match(making, '^[^:]*') == ARGV[n] then
    records = drop[ARGV[n]](ARGV[n + 1], redis.call('HKEYS', KEYS[3]))
  end
end
return records + redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
`,
  };
}
