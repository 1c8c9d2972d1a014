import { type Logger, pino } from "pino";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** One JSON line each. An error is its name, message and stack; what Redis or Postgres was asked is never in it. */
export function createLog(level: string): Log {
  return pino({ level, base: { service: "ingest" }, serializers: { error: describe } });
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
