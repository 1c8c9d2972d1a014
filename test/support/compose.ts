import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { ROOT } from "./image.ts";

export const composeText = readFileSync(join(ROOT, "compose.yaml"), "utf8");

/** compose.yaml as Compose reads it with this environment. @throws when a variable that it wants is not set. */
export function composeFile(env: Record<string, string>): unknown {
  const text = composeText.replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => {
    const value = env[name];
    if (!value) throw new Error(`${name} is missing`);
    return value;
  });
  return parse(text, { merge: true });
}

/** The variables that it wants. */
export function composeVariables(): string[] {
  return [...new Set(Array.from(composeText.matchAll(/\$\{(\w+)/g), ([, name = ""]) => name))].sort();
}

/** Its services, as far as tests look at them. */
export function composeServices(env: Record<string, string>): Record<string, ComposeService> {
  return Compose.parse(composeFile(env)).services;
}

const Service = z.object({
  image: z.string(),
  command: z.union([z.string(), z.array(z.string())]).default([]),
  environment: z.record(z.string(), z.coerce.string()).default({}),
  user: z.string().optional(),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  stop_grace_period: z.string().optional(),
  healthcheck: z.object({ disable: z.boolean().default(false) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const Compose = z.object({ services: z.record(z.string(), Service) });

export type ComposeService = z.infer<typeof Service>;
