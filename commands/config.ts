import * as z from "zod";
import { Environment as edge } from "../edge/env.ts";
import { Environment as ingest } from "../ingest/config.ts";
import { Environment as door } from "../ingest/redis-rest/config.ts";

/** `npm run config`: every variable of every process, with its default, in the words of what reads it. */
for (const [side, schema] of Object.entries({ edge, ingest, door })) {
  console.log(`${side}\n`);
  const described = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  for (const [name, variable] of Object.entries(described.properties ?? {})) {
    if (typeof variable === "boolean") continue;
    const { description = "", default: usual } = variable;
    const without = usual === undefined ? "" : ` (${JSON.stringify(usual)})`;
    console.log(`  ${name}${without}\n      ${description}`);
  }
  console.log();
}
