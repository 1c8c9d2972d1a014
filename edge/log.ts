import type { Log } from "./deps.ts";

/** One JSON line each. */
export const consoleLog: Log = (level, message, details = {}) => {
  console[level](JSON.stringify({ level, service: "edge", message, ...details }));
};

/** An error nobody expected: what it is and where it came from. Our own errors hold no token and no command. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const message = error.message.split("\n", 1)[0]?.slice(0, 200);
  const at = error.stack
    ?.split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 5);
  return { name: error.name, detail: message, at: at?.map((line) => line.trim()) };
}
