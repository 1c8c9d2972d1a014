import { refusal } from "./policy.ts";
import { Refused } from "./refused.ts";

/** One Redis command. The name is in upper case, which is also how it is sent. */
export interface Command {
  name: string;
  args: string[];
}

/** A body of `POST /`: one command, as `["GET", "key"]`. */
export function oneCommand(body: unknown): Command {
  if (!Array.isArray(body) || body.length === 0) {
    throw new Refused(400, "ERR the body must be one command: a non-empty JSON array");
  }
  const [name, ...args] = body.map(asArgument);
  const command = { name: (name ?? "").toUpperCase(), args };
  const why = refusal(command);
  if (why !== null) throw new Refused(400, why);
  return command;
}

/**
 * A body of `/pipeline` and `/multi-exec`: an array of commands.
 * One that is malformed or refused refuses them all, so that a rejected request has had no effect.
 */
export function manyCommands(body: unknown): Command[] {
  if (!Array.isArray(body) || body.length === 0) {
    throw new Refused(400, "ERR the body must be a non-empty JSON array of commands");
  }
  return body.map(oneCommand);
}

/** JSON `null` is refused, not sent as text: it is what NaN, Infinity and undefined become on the way here. */
function asArgument(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new Refused(400, "ERR every part of a command must be a string, a number or a boolean");
}
