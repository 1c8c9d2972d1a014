import { describe, expect, test } from "vitest";
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
  expect(ingestConfig(enough)).toMatchObject({ sessions: { timeoutMs: 300_000 }, bus: { keep: 100_000 } });
  const given = ingestConfig({ ...enough, SESSION_TIMEOUT: "5", EVENTS_KEPT: "9" });
  expect(given).toMatchObject({ sessions: { timeoutMs: 5_000 }, bus: { keep: 9 } });
  const wrong = { ...enough, SESSION_TIMEOUT: "0", EVENTS_KEPT: "0" };
  expect(() => ingestConfig(wrong)).toThrow(/SESSION_TIMEOUT.*EVENTS_KEPT/s);
});

describe("where domain events go", () => {
  const busIn = (env: Record<string, string>) => ingestConfig({ ...enough, ...env }).bus;
  const key = Buffer.alloc(32, 7);
  const secret = `whsec_${key.toString("base64")}`;

  test("nowhere, unless it is said", () => {
    expect(busIn({})).toMatchObject({ kafka: null, webhook: null });
  });

  test("Kafka: brokers, and what they ask for", () => {
    expect(busIn({ KAFKA_BROKERS: "a:9092, b:9093" }).kafka).toEqual({
      ...{ brokers: ["a:9092", "b:9093"], topicPrefix: "playback", tls: null, sasl: null },
    });
    const sasl = {
      ...{ KAFKA_SASL_MECHANISM: "SCRAM-SHA-512", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p" },
    };
    const tls = { KAFKA_TLS: "true", KAFKA_TLS_CA: "/ca.pem", KAFKA_TOPIC_PREFIX: "watch" };
    expect(busIn({ KAFKA_BROKERS: "a:1", ...sasl, ...tls }).kafka).toMatchObject({
      ...{ topicPrefix: "watch", tls: { ca: "/ca.pem", cert: undefined } },
      sasl: { mechanism: "SCRAM-SHA-512", username: "u", password: "p" },
    });
  });

  test("a webhook: its address, and the keys behind its secrets", () => {
    const given = { EVENTS_WEBHOOK_URL: "https://example.com/hook", EVENTS_WEBHOOK_SECRET: secret };
    expect(busIn(given).webhook).toEqual({
      ...{
        url: "https://example.com/hook",
        keys: [key],
        types: null,
        batch: 1,
        attempts: 10,
        timeoutMs: 10_000,
      },
    });
    const more = {
      EVENTS_WEBHOOK_SECRET: `${secret},${secret}`,
      EVENTS_WEBHOOK_TYPES: "VideoRated,SessionEnded",
    };
    expect(busIn({ ...given, ...more }).webhook).toMatchObject({
      ...{ keys: [key, key], types: new Set(["VideoRated", "SessionEnded"]) },
    });
  });

  test.each([
    [{ KAFKA_BROKERS: "a" }, /KAFKA_BROKERS/],
    [{ KAFKA_TLS_CERT: "/cert.pem" }, /KAFKA_TLS: must be true/],
    [{ KAFKA_SASL_USERNAME: "u" }, /KAFKA_SASL_MECHANISM: goes together/],
    [{ EVENTS_WEBHOOK_URL: "https://example.com" }, /EVENTS_WEBHOOK_SECRET: goes together/],
    [{ EVENTS_WEBHOOK_SECRET: secret }, /EVENTS_WEBHOOK_SECRET: goes together/],
    [{ EVENTS_WEBHOOK_SECRET: "whsec_c2hvcnQ=" }, /24 to 64 bytes/],
    [{ EVENTS_WEBHOOK_SECRET: key.toString("base64") }, /whsec_/],
    [{ EVENTS_WEBHOOK_URL: "https://me:hush@example.com", EVENTS_WEBHOOK_SECRET: secret }, /without a user/],
    [{ EVENTS_WEBHOOK_TYPES: "Everything" }, /EVENTS_WEBHOOK_TYPES/],
  ])("%o is refused", (env: Record<string, string>, message: RegExp) => {
    expect(() => busIn(env)).toThrow(message);
  });
});
