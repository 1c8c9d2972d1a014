import { expect, test } from "vitest";
import { ingestConfig } from "../../ingest/config.ts";

const enough = {
  DATABASE_URL: "postgres://db/playhead",
  REDIS_URL: "redis://redis",
  AUTH_SECRET: "a secret that is long enough",
};

test("what is left out has a default; the stream is on the Redis of the views", () => {
  expect(ingestConfig(enough)).toMatchObject({
    http: { port: 8788, host: "127.0.0.1" },
    postgres: { url: enough.DATABASE_URL, max: 30 },
    redis: { views: enough.REDIS_URL, stream: enough.REDIS_URL, streamReplicas: 0 },
    limits: { backlog: 1_000_000, eventMaxAgeMs: 400 * 86_400_000, history: 2_000 },
  });
});

test("an empty value is none", () => {
  expect(ingestConfig({ ...enough, INGEST_PORT: "", AUTH_JWKS_URL: "" }).http.port).toBe(8788);
});

test("every wrong variable is named at once, and no secret is shown", () => {
  const wrong = {
    ...enough,
    DATABASE_URL: "mysql://x",
    INGEST_PORT: "70000",
    BACKLOG_LIMIT: "many",
    AUTH_SECRET: "shh",
  };
  const message = (() => {
    try {
      ingestConfig(wrong);
      return "";
    } catch (error) {
      return String(error);
    }
  })();
  for (const name of ["DATABASE_URL", "INGEST_PORT", "BACKLOG_LIMIT", "AUTH_SECRET"])
    expect(message).toContain(name);
  expect(message).not.toContain("shh");
});

test("one way of checking tokens is needed, and only one", () => {
  const { AUTH_SECRET: _, ...neither } = enough;
  expect(() => ingestConfig(neither)).toThrow("exactly one of AUTH_SECRET and AUTH_JWKS_URL");
  expect(() => ingestConfig({ ...enough, AUTH_JWKS_URL: "https://issuer/keys" })).toThrow("exactly one");
});

test("without a Postgres history is off", () => {
  expect(ingestConfig({ ...enough, DATABASE_URL: "" }).postgres).toBeNull();
});

test("how long a silent session lives and how many domain events are kept", () => {
  expect(ingestConfig(enough)).toMatchObject({ sessions: { timeoutMs: 300_000 }, bus: { keep: 1_000_000 } });
  const given = ingestConfig({ ...enough, SESSION_TIMEOUT: "5", EVENTS_KEPT: "9" });
  expect(given).toMatchObject({ sessions: { timeoutMs: 5_000 }, bus: { keep: 9 } });
  const wrong = { ...enough, SESSION_TIMEOUT: "0", EVENTS_KEPT: "0" };
  expect(() => ingestConfig(wrong)).toThrow(/SESSION_TIMEOUT.*EVENTS_KEPT/s);
});
