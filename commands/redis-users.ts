import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readEnvironment } from "../db/environment.ts";
import { aclFile, Environment } from "./local/acl-file.ts";
import { run } from "./local/run.ts";

const USAGE = "usage: npm run -s redis-users -- [--no-search] [FILE]";

/**
 * `npm run -s redis-users -- [--no-search] [FILE]`: the ACL file of a Redis that only Playhead uses, printed or written to FILE.
 * Start that Redis with `--aclfile FILE`. `--no-search` is for one without the search module.
 */
await run(async () => {
  const { file, search } = readArguments(process.argv.slice(2));
  const text = aclFile(readEnvironment(Environment, process.env), { search });
  if (file === undefined) process.stdout.write(text);
  else await writeFile(file, text);
  return 0;
});

function readArguments(args: string[]): { file: string | undefined; search: boolean } {
  const options = { "no-search": { type: "boolean" } } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length > 1) throw new Error(USAGE);
    return { file: positionals[0], search: !values["no-search"] };
  } catch (cause) {
    throw new Error(USAGE, { cause });
  }
}
