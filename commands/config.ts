import * as z from "zod";
import { Environment as edge } from "../edge/env.ts";
import { Environment as ingest } from "../ingest/config.ts";
import { Environment as door } from "../ingest/redis-rest/config.ts";
import { Environment as redisUsers } from "./local/acl-file.ts";
import { describedVariables, faultsOf } from "./local/described.ts";
import { localVariables } from "./local/settings.ts";

/**
 * `npm run -s config`: every variable of every process with its value here, its default and its meaning, and what is wrong
 * with them. Secrets are not shown.
 */
const { env } = process;
const commands = z.object({ ...localVariables, ...redisUsers.partial().shape });
for (const [side, schema] of Object.entries({ edge, ingest, door, commands })) {
  console.log(`${side}\n`);
  for (const line of describedVariables(schema, env)) console.log(line);
  const faults = faultsOf(schema, env);
  if (faults.length > 0)
    console.log(
      `\n  With this environment it does not start:\n${faults.map((its) => `  ${its}`).join("\n")}`,
    );
  console.log();
}
