import type { Script } from "./script.ts";

/**
 * The version of a view, and what is kept of what comes next, in one round trip. KEYS: the state of the view, and what
 * is kept.
 *
 * Returns {version, kept or ""}, or {} of a cold view: nothing tells what changes then, so nothing may be kept.
 */
export const readNextUp: Script = {
  name: "readNextUp",
  readOnly: true,
  source: `
local state = redis.call('HMGET', KEYS[1], 'warm', 'epoch', 'seq')
if not state[1] then return {} end
return {state[2] .. '.' .. (state[3] or '0'), redis.call('GET', KEYS[2]) or ''}
`,
};

/**
 * Keeps what comes next, if the view is still of the version that it was worked out by: of a view that is gone nothing is
 * kept. KEYS: the state of the view, and what is kept. ARGV: the version, what to keep, for how many milliseconds.
 * Returns whether it is kept.
 */
export const keepNextUp: Script = {
  name: "keepNextUp",
  readOnly: false,
  source: `
local state = redis.call('HMGET', KEYS[1], 'warm', 'epoch', 'seq')
if not state[1] or state[2] .. '.' .. (state[3] or '0') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
`,
};
