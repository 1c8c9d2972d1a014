import type { Script } from "./script.ts";

/**
 * The version of a view, and what is kept of what comes next, in one round trip. KEYS: the state of the view, and what
 * is kept.
 *
 * Returns {version, kept or ""}, or {} of a cold view: nothing tells what changes then, so nothing may be kept.
 */
export const readNextUp: Script = {
  readOnly: true,
  source: `
local state = redis.call('HMGET', KEYS[1], 'warm', 'epoch', 'seq')
if not state[1] then return {} end
return {state[2] .. '.' .. (state[3] or '0'), redis.call('GET', KEYS[2]) or ''}
`,
};
