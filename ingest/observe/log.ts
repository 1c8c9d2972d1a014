import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** One JSON line each, on stdout. An error is its name, code and message; what a store was asked is never in it. */
export function createLog(level: string, out?: DestinationStream): Log {
  const options = { level, base: { service: "ingest" }, serializers: { error: describe } };
  return out ? pino(options, out) : pino(options);
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = "code" in error ? error.code : undefined;
  return {
    name: error.name,
    message: firstLine(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
  };
}

/** Drivers put the statement or the command, with its values, behind the first line of a message. */
function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}
