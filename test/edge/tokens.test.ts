import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Viewer } from "../../db/contract/access.ts";
import { tokenVerifier } from "../../db/contract/access.ts";
import { edgeDeps } from "../../edge/build.ts";
import { edgeConfig } from "../../edge/env.ts";
import { testClock } from "../support/clock.ts";
import { tokenFor } from "../support/tokens.ts";

const SECRET = "a secret that only tests know";
const asset = async () => new Response(null, { status: 404 });

function verifier(auth: Record<string, string>) {
  const env = {
    UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
    UPSTASH_REDIS_REST_TOKEN: "t",
    INGEST_URL: "http://127.0.0.1:1",
  };
  return edgeDeps(edgeConfig({ ...env, ...auth }), asset).verifyToken;
}

const refused = { name: "Refusal", code: "unauthorized" };

describe("a shared secret", () => {
  const verify = verifier({ AUTH_SECRET: SECRET });

  test("the user is the token's sub, with the role of a user unless it says more", async () => {
    expect(await verify(await tokenFor(SECRET, "alice"))).toEqual({ user_id: "alice", roles: ["user"] });
    const both = await tokenFor(SECRET, "svc:1", { roles: ["service", "admin"] });
    expect(await verify(both)).toEqual({ user_id: "svc:1", roles: ["service", "admin"] });
  });

  test.each<[string, () => Promise<string> | string]>([
    ["another secret", () => tokenFor("some other secret entirely", "alice")],
    ["an expired token", () => tokenFor(SECRET, "alice", { expiresIn: "-1s" })],
    ["alg none", () => new UnsecuredJWT({}).setSubject("alice").setExpirationTime("1h").encode()],
    ["a token that never expires", () => sign(new SignJWT({}).setSubject("alice"))],
    ["a token of nobody", () => sign(new SignJWT({}).setExpirationTime("1h"))],
    ["a sub that is no id", () => tokenFor(SECRET, "a b")],
    ["a sub with braces", () => tokenFor(SECRET, "{alice}")],
    ["an empty sub", () => tokenFor(SECRET, "")],
    ["roles that are no list", () => tokenFor(SECRET, "alice", { claims: { roles: "admin" } })],
    ["a token not valid yet", () => tokenFor(SECRET, "alice", { claims: { nbf: Date.now() / 1000 + 600 } })],
    ["another algorithm", () => sign(new SignJWT({}).setSubject("alice").setExpirationTime("1h"), "HS512")],
    ["a changed payload", async () => (await tokenFor(SECRET, "alice")).replace(/\.(.{8})/, ".eyJhIjox")],
    ["half a token", () => "eyJhbGciOiJIUzI1NiJ9.e30"],
    ["nonsense", () => "nonsense"],
  ])("refuses %s", async (_, token) => {
    await expect(verify(await token())).rejects.toMatchObject(refused);
  });

  test("a role of somebody else's means nothing here, and takes nothing away", async () => {
    const viewer = await verify(await tokenFor(SECRET, "alice", { roles: ["editor", "support", "root"] }));
    expect(viewer.roles).toEqual(["support"]);
    for (const roles of [[], ["editor"]]) {
      expect((await verify(await tokenFor(SECRET, "alice", { roles }))).roles).toEqual(["user"]);
    }
  });

  test("checks issuer and audience when they are configured", async () => {
    const strict = verifier({ AUTH_SECRET: SECRET, AUTH_ISSUER: "https://login", AUTH_AUDIENCE: "playhead" });
    const right = { iss: "https://login", aud: "playhead" };
    expect(await strict(await tokenFor(SECRET, "alice", { claims: right }))).toMatchObject({
      user_id: "alice",
    });
    for (const wrong of [{}, { ...right, iss: "https://other" }, { ...right, aud: "other" }]) {
      await expect(strict(await tokenFor(SECRET, "alice", { claims: wrong }))).rejects.toMatchObject(refused);
    }
  });

  test("a token that is remembered is not remembered past its expiry", async () => {
    const clock = testClock(Date.now());
    const key = { secret: new TextEncoder().encode(SECRET) };
    const remembering = tokenVerifier({ key, now: clock.now });
    const token = await tokenFor(SECRET, "alice", { expiresIn: "30s" });
    expect(await remembering(token)).toBe(await remembering(token));
    clock.advance(31_000);
    await expect(remembering(token)).rejects.toMatchObject(refused);
  });
});

describe("published keys", () => {
  const ALGORITHMS = ["RS256", "ES256", "EdDSA"];
  const signers = new Map<string, (claims?: Record<string, unknown>) => Promise<string>>();
  const keys: JWK[] = [];
  let issuer: Server;
  let verify: (token: string) => Promise<Viewer>;
  let url: string;

  beforeAll(async () => {
    for (const alg of ALGORITHMS) {
      const { publicKey, privateKey } = await generateKeyPair(alg);
      keys.push({ ...(await exportJWK(publicKey)), kid: alg, alg });
      signers.set(alg, (claims = {}) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg, kid: alg })
          .setSubject("alice")
          .setExpirationTime("1h")
          .sign(privateKey),
      );
    }
    issuer = createServer((_, response) => void response.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
    verify = verifier({ AUTH_JWKS_URL: url });
  });
  afterAll(() => issuer.close());

  test.each(ALGORITHMS)("%s is taken, a forged one is not", async (alg) => {
    const token = await signers.get(alg)?.({ roles: ["support"] });
    expect(await verify(token ?? "")).toEqual({ user_id: "alice", roles: ["support"] });
    const [head, payload] = (token ?? "").split(".");
    await expect(verify(`${head}.${payload}.AAAA`)).rejects.toMatchObject(refused);
  });

  test("a public key is no shared secret", async () => {
    const published = JSON.stringify(keys[0]);
    await expect(verify(await tokenFor(published, "alice"))).rejects.toMatchObject(refused);
  });

  test("a key that nobody published is refused", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const token = new SignJWT({})
      .setProtectedHeader({ alg: "ES256", kid: "mine" })
      .setSubject("a")
      .setExpirationTime("1h");
    await expect(verify(await token.sign(privateKey))).rejects.toMatchObject(refused);
  });

  test("an issuer that cannot be reached is no reason to say that a token is bad", async () => {
    const token = (await signers.get("ES256")?.()) ?? "";
    const away = verifier({ AUTH_JWKS_URL: "http://127.0.0.1:1/keys" });
    await expect(away(token)).rejects.toMatchObject({ name: "Refusal", code: "unavailable" });
    const broken = createServer((_, response) => void response.writeHead(500).end("oops"));
    await new Promise<void>((resolve) => broken.listen(0, "127.0.0.1", resolve));
    const failing = verifier({
      AUTH_JWKS_URL: `http://127.0.0.1:${(broken.address() as AddressInfo).port}/`,
    });
    await expect(failing(token)).rejects.toMatchObject({ name: "Refusal", code: "unavailable" });
    await expect(failing("nonsense")).rejects.toMatchObject(refused);
    broken.close();
  });
});

function sign(token: SignJWT, alg = "HS256"): Promise<string> {
  return token.setProtectedHeader({ alg }).sign(new TextEncoder().encode(SECRET));
}
