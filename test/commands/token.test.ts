import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, expect, test } from "vitest";
import { tokenVerifier } from "../../db/contract/access.ts";
import { playheadIn } from "./playhead.ts";

const playhead = playheadIn();
afterAll(() => playhead.clear());
const AUTH_SECRET = "a secret for this test only";

async function token(args: string[], env: Record<string, string> = { AUTH_SECRET }) {
  const { said, code } = playhead.command("token", args, env);
  return { code: await code, ...said };
}

function verifier(secret: string, rules: { issuer?: string; audience?: string } = {}) {
  return tokenVerifier({ key: { secret: new TextEncoder().encode(secret) }, now: Date.now, ...rules });
}

test("prints a token for a user, good for thirty days, and nothing else", async () => {
  const { code, out, err } = await token(["alice"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(await verifier(AUTH_SECRET)(out.trim())).toEqual({ user_id: "alice", roles: ["user"] });
  const { iat = 0, exp = 0, iss, aud } = decodeJwt(out.trim());
  expect({ lasts: exp - iat, iss, aud }).toEqual({ lasts: 30 * 86_400, iss: undefined, aud: undefined });
});

test("roles, expiry, issuer and audience are those asked for", async () => {
  const args = ["player:7", "--role", "service", "--role", "user", "--expires", "60"];
  const { out } = await token(args, { AUTH_SECRET, AUTH_ISSUER: "us", AUTH_AUDIENCE: "them" });
  const verify = verifier(AUTH_SECRET, { issuer: "us", audience: "them" });
  expect(await verify(out.trim())).toEqual({ user_id: "player:7", roles: ["service", "user"] });
  const { iat = 0, exp = 0 } = decodeJwt(out.trim());
  expect(exp - iat).toBe(60);
});

test("without AUTH_SECRET the one of the data directory signs, made once, even by many at a time", async () => {
  const file = join(playhead.dir, "secrets.json");
  const tokens = await Promise.all([1, 2, 3, 4].map(() => token(["alice"], {})));
  const { auth_secret } = JSON.parse(readFileSync(file, "utf8"));
  for (const { out } of tokens) expect((await verifier(auth_secret)(out.trim())).user_id).toBe("alice");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  rmSync(file);
});

test.each([
  [[], /^usage: /],
  [["alice", "bob"], /^usage: /],
  [["alice", "--admin"], /^usage: /],
  [["al ice"], /^not a user id: 1 to 128 of /],
  [["alice", "--role", "root"], /^no such role: root; there are user, support, service, admin\n$/],
  [["alice", "--expires", "soon"], /^--expires takes whole seconds/],
  [["alice", "--expires=-1"], /^--expires takes whole seconds/],
])("%j is refused in one line", async (args, line) => {
  const { code, out, err } = await token(args);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(line);
  expect(err.trimEnd().split("\n")).toHaveLength(1);
});

test("a secret that the services would refuse, and keys that are not ours, are refused", async () => {
  expect((await token(["alice"], { AUTH_SECRET: "short" })).err).toMatch(/^AUTH_SECRET: 16 characters/);
  expect((await token(["alice"], { AUTH_JWKS_URL: "https://issuer.example/keys" })).err).toMatch(
    /^AUTH_JWKS_URL/,
  );
});
