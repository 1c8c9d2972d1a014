import { type DestinationStream, type Logger, pino } from "pino";
import { loggedFields } from "./ambient.ts";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "isLevelEnabled">;

/**
 * One JSON line each, on stdout, with the ids of the request or the turn that it belongs to. What a client sent, a
 * token, what a store was asked: none of it is given to a log in the first place. An error is its name, code and
 * message, without what the message quotes. Should somebody log a thing that carries more, its known places are
 * emptied.
 */
export function createLog(level: string, out?: DestinationStream): Log {
  const options = {
    level,
    base: { service: "ingest" },
    // Copied, because pino adds the line to it.
    mixin: () => ({ ...loggedFields() }),
    serializers: { error: describe, reason: withoutQuotes },
    redact: { paths: REDACTED, censor: "[redacted]" },
  };
  return out ? pino(options, out) : pino(options);
}

const NAMES = [
  ...[
    "authorization",
    "cookie",
    "token",
    "password",
    "secret",
    "headers",
    "body",
    "query",
    "payload",
    "review",
  ],
  ...["content_id", "user_id", "entry", "params", "parameters", "detail"],
];
const REDACTED = NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: withoutQuotes(String(error)) };
  const code = "code" in error ? error.code : undefined;
  return {
    name: error.name,
    message: isOfOurMaking(code) ? firstLine(error.message) : withoutQuotes(firstLine(error.message)),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
  };
}

/** Drivers put the statement or the command, with its values, behind the first line of a message. */
function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

/** Parsers and databases quote what they cannot read. */
function withoutQuotes(text: unknown): string {
  return String(text).replace(/"[^"]*("|$)/g, '"..."');
}

/** SQLSTATE class 42: what is quoted is the name of a table or a column. */
function isOfOurMaking(code: unknown): boolean {
  return typeof code === "string" && /^42...$/.test(code);
}
