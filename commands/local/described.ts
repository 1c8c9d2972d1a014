import * as z from "zod";
import { readEnvironment } from "../../db/environment.ts";
import type { Env } from "./paths.ts";

/** What a process reads from the environment, in words: each variable with its value, its default and its meaning. */
export function describedVariables(schema: z.ZodType, env: Env): string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).flatMap(([name, variable]) => {
    if (typeof variable === "boolean") return [];
    const { description = "", default: usual } = variable;
    const needed = required.includes(name);
    return [`  ${name} ${valueInWords({ name, given: env[name], usual, needed })}`, `      ${description}`];
  });
}

/** What keeps a process with this environment from starting, or nothing. */
export function faultsOf(schema: z.ZodType, env: Env): string[] {
  try {
    readEnvironment(schema, env);
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split("\n").slice(1) : [String(error)];
  }
}

/** Secrets are told by their names, so that nobody can forget to mark one. */
const SECRET = /(SECRET|TOKEN|PASSWORD|KEY|HEADERS)S?$/;

function valueInWords(variable: {
  name: string;
  given: string | undefined;
  usual: unknown;
  needed: boolean;
}) {
  const { name, given, usual, needed } = variable;
  const byDefault = typeof usual === "string" ? usual : JSON.stringify(usual);
  if (!given) {
    if (byDefault !== undefined) return `= ${byDefault} (by default)`;
    return needed ? "is not set, and needed" : "is not set";
  }
  if (SECRET.test(name)) return "is set, and hidden";
  const shown = /_URL$/.test(name) ? withoutSecrets(given) : given;
  return byDefault === undefined ? `= ${shown}` : `= ${shown} (${byDefault} by default)`;
}

/** A URL without its password and whatever its query says. What is no URL may hold a password anywhere. */
function withoutSecrets(text: string): string {
  const url = URL.parse(text);
  if (url === null) return "(hidden: it is no URL)";
  if (url.password !== "") url.password = "***";
  for (const name of url.searchParams.keys()) url.searchParams.set(name, "***");
  return url.href;
}
