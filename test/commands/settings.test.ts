import { resolve } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../commands/local/paths.ts";
import { localSettings } from "../../commands/local/settings.ts";

test("without any variable everything is embedded, on the ports of the documentation", () => {
  const host = "127.0.0.1";
  expect(localSettings({ EDGE_PORT: "" })).toEqual({
    dataDir: resolve(ROOT, ".playhead"),
    edge: { runtime: "workerd", host, port: 8787 },
    ingest: { host, port: 8788 },
    door: { host, port: 8789 },
    databaseUrl: undefined,
    redisUrl: undefined,
    upstash: undefined,
    authSecret: undefined,
    authJwksUrl: undefined,
  });
});

test("what is given is used", () => {
  const settings = localSettings({
    DATA_DIR: "/srv/playhead",
    DATABASE_URL: "postgres://db/playhead",
    REDIS_URL: "rediss://cache:6380",
    UPSTASH_REDIS_REST_URL: "https://eu1.upstash.example",
    UPSTASH_REDIS_REST_TOKEN: "t",
    AUTH_JWKS_URL: "https://issuer.example/keys",
  });
  expect(settings).toMatchObject({
    dataDir: "/srv/playhead",
    databaseUrl: "postgres://db/playhead",
    redisUrl: "rediss://cache:6380",
    upstash: { url: "https://eu1.upstash.example", token: "t" },
    authJwksUrl: "https://issuer.example/keys",
  });
});

test.each([
  [{ EDGE_RUNTIME: "bun" }, "EDGE_RUNTIME"],
  [{ INGEST_PORT: "65536" }, "INGEST_PORT"],
  [{ REDIS_REST_PORT: "one" }, "REDIS_REST_PORT"],
  [{ INGEST_PORT: "8787" }, "EDGE_PORT"],
  [{ DATABASE_URL: "mysql://db" }, "DATABASE_URL"],
  [{ REDIS_URL: "localhost:6379" }, "REDIS_URL"],
  [{ AUTH_SECRET: "short" }, "AUTH_SECRET"],
  [{ AUTH_SECRET: "long enough to be one", AUTH_JWKS_URL: "https://issuer.example/keys" }, "AUTH_SECRET"],
  [{ UPSTASH_REDIS_REST_URL: "http://x", REDIS_URL: "redis://x" }, "UPSTASH_REDIS_REST_TOKEN"],
  [{ UPSTASH_REDIS_REST_URL: "http://x", UPSTASH_REDIS_REST_TOKEN: "t" }, "REDIS_URL"],
  [{ STREAM_REDIS_URL: "redis://x" }, "STREAM_REDIS_REST_URL"],
])("%j is refused, and the variable named", (env, name) => {
  expect(() => localSettings(env)).toThrow(new RegExp(`^The environment is not right:\n  ${name}: [^\n]+$`));
});

test("ports that are chosen freely do not collide", () => {
  expect(localSettings({ EDGE_PORT: "0", INGEST_PORT: "0", REDIS_REST_PORT: "0" }).edge.port).toBe(0);
});
