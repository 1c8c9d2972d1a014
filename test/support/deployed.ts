import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { Environment as redisUsers } from "../../commands/local/acl-file.ts";
import { Environment as edge } from "../../edge/env.ts";
import { Environment as ingest } from "../../ingest/config.ts";
import { Environment as door } from "../../ingest/redis-rest/config.ts";
import { ROOT } from "./image.ts";

const { DATABASE_URL, REDIS_URL } = ingest.shape;
const stores = z.object({ DATABASE_URL, REDIS_URL: REDIS_URL.optional() });

/** What runs from the image: by the file that is started, what it reads, where it listens, how long its stop may take. */
export const PROGRAMS: Record<string, Program> = {
  "edge/node.ts": {
    reads: edge,
    port: defaultOf(edge.shape.EDGE_PORT),
    stopsWithin: numberIn("edge/serve.ts", "GRACE_MS"),
  },
  "ingest/main.ts": {
    reads: ingest,
    port: defaultOf(ingest.shape.INGEST_PORT),
    stopsWithin: numberIn("ingest/main.ts", "FORCE_AFTER_MS"),
  },
  "ingest/redis-rest/main.ts": {
    reads: door,
    port: defaultOf(door.shape.REDIS_REST_PORT),
    stopsWithin: 5_000,
  },
  "commands/migrate.ts": { reads: stores },
  "commands/redis-users.ts": { reads: redisUsers },
};

/** The program that a command line starts. */
export function programIn(command: readonly string[]): Program & { file: string } {
  const [node, file = ""] = command;
  const program = PROGRAMS[file];
  if (node !== "node" || program === undefined)
    throw new Error(`${command.join(" ")} starts nothing that is known`);
  return { ...program, file };
}

/** A constant of a file that does something when it is imported. */
function numberIn(file: string, name: string): number {
  const [, digits] =
    new RegExp(`^const ${name} = ([\\d_]+);$`, "m").exec(readFileSync(join(ROOT, file), "utf8")) ?? [];
  if (digits === undefined) throw new Error(`${file} has no ${name}`);
  return Number(digits.replaceAll("_", ""));
}

function defaultOf(port: z.ZodType): number {
  return Number(port.parse(undefined));
}

export type Program = {
  reads: z.ZodObject;
  port?: number;
  /** Milliseconds after which it ends itself by force. */
  stopsWithin?: number;
};
