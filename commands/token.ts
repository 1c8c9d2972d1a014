import { parseArgs } from "node:util";
import { ROLES, type Role } from "../db/contract/access-matrix.ts";
import { UserId } from "../db/contract/ids.ts";
import { dataDir, type Env } from "./local/paths.ts";
import { run } from "./local/run.ts";
import { localSecrets } from "./local/secrets.ts";
import { signToken, THIRTY_DAYS } from "./local/sign-token.ts";

const USAGE = "usage: npm run -s token -- USER [--role ROLE]... [--expires SECONDS]";

/** `npm run -s token -- USER [--role ROLE]... [--expires SECONDS]` prints a token and nothing else. */
await run(async () => {
  const { user, roles, expiresIn } = readArguments(process.argv.slice(2));
  const secret = signingSecret(process.env);
  console.log(await signToken({ secret, user, roles, expiresIn, env: process.env }));
  return 0;
});

function readArguments(args: string[]): { user: UserId; roles: Role[]; expiresIn: number } {
  const { positionals, values } = parsed(args);
  if (positionals.length !== 1) throw new Error(USAGE);
  const user = UserId.safeParse(positionals[0]);
  if (!user.success) throw new Error(`not a user id: ${user.error.issues[0]?.message}`);

  const roles = (values.role ?? ["user"]).map((name) => {
    const role = ROLES.find((known) => known === name);
    if (role === undefined) throw new Error(`no such role: ${name}; there are ${ROLES.join(", ")}`);
    return role;
  });
  const expiresIn = Number(values.expires ?? THIRTY_DAYS);
  if (!Number.isSafeInteger(expiresIn) || expiresIn < 1)
    throw new Error("--expires takes whole seconds, 1 or more");
  return { user: user.data, roles, expiresIn };
}

function parsed(args: string[]) {
  const options = { role: { type: "string", multiple: true }, expires: { type: "string" } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (cause) {
    throw new Error(USAGE, { cause });
  }
}

function signingSecret(env: Env): string {
  if (env.AUTH_SECRET && env.AUTH_SECRET.length < 16) throw new Error("AUTH_SECRET: 16 characters at least");
  if (env.AUTH_SECRET) return env.AUTH_SECRET;
  if (env.AUTH_JWKS_URL) throw new Error("AUTH_JWKS_URL is set: only its issuer can sign tokens");
  return localSecrets(dataDir(env)).auth_secret;
}
