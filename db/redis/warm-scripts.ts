import type { Script } from "./script.ts";

/*
 * The Lua of the warm set. It works while Redis is out of memory, too: then a transaction is refused, even if it
 * only reads. KEYS: the warm set.
 */

/** How many are in it, and the coldest. ARGV: the highest score, how many. Returns {size, {user, score, ...}}. */
export const readWarmSet: Script = {
  name: "readWarmSet",
  readOnly: true,
  source: `
return {
  redis.call('ZCARD', KEYS[1]),
  redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2], 'WITHSCORES'),
}
`,
};

/**
 * Takes users out of it whom nobody touched since they were seen there. ARGV: each of them with the score that was
 * seen. Returns how many were taken out.
 */
export const leaveWarmSet: Script = {
  name: "leaveWarmSet",
  readOnly: false,
  source: `
local gone = {}
for n = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[n]) == ARGV[n + 1] then gone[#gone + 1] = ARGV[n] end
end
if #gone == 0 then return 0 end
return redis.call('ZREM', KEYS[1], unpack(gone))
`,
};
