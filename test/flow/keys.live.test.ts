import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createWorld, type World } from "../support/world.ts";

/**
 * Keys that come and go at an issuer while both sides run. The clock is the test's: the keys are fetched for real.
 */

const SECOND = 1_000;
let issuer: Server;
let published: JWK[] = [];
let fetches = 0;
let isAway = false;
let world: World;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  issuer = createServer((_, response) => {
    fetches++;
    if (isAway) response.writeHead(503).end("out for lunch");
    else
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
  world = await createWorld({
    AUTH_JWKS_URL: url,
    AUTH_SECRET: "",
    ERASURE_KEY: "a key that only tests know",
  });
});
afterAll(async () => {
  await world.stop();
  issuer.close();
  vi.useRealTimers();
});
/** Whatever was fetched and remembered is old, and what is known of the issuer is forgotten. */
beforeEach(async () => {
  isAway = false;
  pass(3_600);
});

function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * SECOND);
}

type Key = { jwk: JWK; token: (user?: string) => Promise<string> };
let keys = 0;
async function newKey(): Promise<Key> {
  const kid = `key-${++keys}`;
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256" }, token: tokens(privateKey, kid) };
}
function tokens(key: CryptoKey, kid: string): Key["token"] {
  return (user = "alice") =>
    new SignJWT({ jti: `${Math.random()}` })
      .setProtectedHeader({ alg: "ES256", kid })
      .setSubject(user)
      .setExpirationTime("5h")
      .sign(key);
}

/** What both sides say to a token: the edge, and ingest when it is asked directly. */
async function said(token: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${token}` };
  const ask = async (at: string) => (await fetch(`${at}/users/alice/watchhistory`, { headers })).status;
  return await Promise.all([world.edgeUrl, world.ingestUrl].map(ask));
}

test("tokens of a new key are good at once, without a restart", async () => {
  const [old, young] = [await newKey(), await newKey()];
  published = [old.jwk];
  expect(await said(await old.token())).toEqual([200, 200]);
  pass(5);
  published = [old.jwk, young.jwk];
  expect(await said(await young.token())).toEqual([200, 200]);
  expect(await said(await old.token())).toEqual([200, 200]);
});

test("but for five seconds after keys were fetched", async () => {
  const [old, young] = [await newKey(), await newKey()];
  published = [old.jwk];
  expect(await said(await old.token())).toEqual([200, 200]);
  published = [old.jwk, young.jwk];
  const token = await young.token();
  pass(4);
  expect(await said(token)).toEqual([401, 401]);
  pass(1);
  expect(await said(token)).toEqual([200, 200]);
});

test("tokens of a withdrawn key are refused after a minute at the latest", async () => {
  const [withdrawn, other] = [await newKey(), await newKey()];
  published = [withdrawn.jwk, other.jwk];
  expect(await said(await withdrawn.token())).toEqual([200, 200]);
  published = [other.jwk];
  // As late as it can be: seen for the first time just before the keys are old.
  pass(29);
  const late = await withdrawn.token();
  expect(await said(late)).toEqual([200, 200]);
  pass(29);
  expect(await said(late)).toEqual([200, 200]);
  expect(await said(await withdrawn.token())).toEqual([401, 401]);
  pass(2);
  expect(await said(late)).toEqual([401, 401]);
  expect(await said(await other.token())).toEqual([200, 200]);
});

test("whoever sends tokens of keys that nobody has does not have them fetched again and again", async () => {
  const key = await newKey();
  published = [key.jwk];
  expect(await said(await key.token())).toEqual([200, 200]);
  const before = fetches;
  for (let n = 0; n < 20; n++) {
    const { privateKey } = await generateKeyPair("ES256");
    expect(await said(await tokens(privateKey, `mine-${n}`)())).toEqual([401, 401]);
    pass(1);
  }
  // Two sides, twenty seconds, each five.
  expect(fetches - before).toBeGreaterThan(0);
  expect(fetches - before).toBeLessThanOrEqual(2 * 4);
});

test("while the issuer is away its last keys are good for ten minutes, and it is not pestered", async () => {
  const key = await newKey();
  published = [key.jwk];
  expect(await said(await key.token())).toEqual([200, 200]);
  isAway = true;
  pass(60);
  const before = fetches;
  for (let n = 0; n < 10; n++) {
    expect(await said(await key.token())).toEqual([200, 200]);
    const { privateKey } = await generateKeyPair("ES256");
    expect(await said(await tokens(privateKey, `mine-${n}`)())).toEqual([503, 503]);
    pass(1);
  }
  expect(fetches - before).toBeLessThanOrEqual(2 * 2);
  pass(540);
  expect(await said(await key.token())).toEqual([503, 503]);

  isAway = false;
  pass(5);
  expect(await said(await key.token())).toEqual([200, 200]);
});
