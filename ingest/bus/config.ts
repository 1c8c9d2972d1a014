import * as z from "zod";
import { EVENT_TYPES } from "../../db/contract/event-data.ts";
import { rule, url, wholeNumber } from "../../db/environment.ts";

const text = z.string().min(1);
const listed = <T extends string>(kind: z.ZodType<T, string>) =>
  z
    .string()
    .transform((value) => value.split(",").map((one) => one.trim()))
    .pipe(z.array(kind).min(1));
const broker = z.string().regex(/^[^\s:/]+:\d{1,5}$/, "host:port, comma-separated");
const secret = z
  .string()
  .refine((value) => (keyOf(value)?.length ?? 0) >= 24 && (keyOf(value)?.length ?? 0) <= 64, {
    error: "whsec_ and 24 to 64 bytes of base64; two, comma-separated, while it changes",
  });

/** Every variable about where events go. */
export const busVariables = {
  EVENTS_KEPT: wholeNumber
    .min(1)
    .default(100_000)
    .describe(
      "Domain events that the bus keeps, at least; older ones are trimmed away once every target has them",
    ),
  KAFKA_BROKERS: listed(broker).optional().describe("Forwards events to Kafka: host:port, comma-separated"),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,200}$/, "1 to 200 of A-Z a-z 0-9 . _ -")
    .default("playback")
    .describe("Topics are this, a dot, and the type of the event, as in playback.history-updated"),
  KAFKA_TLS: z
    .enum(["true", "false"])
    .default("false")
    .describe("Whether the brokers are spoken to over TLS"),
  KAFKA_TLS_CA: text
    .optional()
    .describe("File with the authority of the brokers; those that Node knows if unset"),
  KAFKA_TLS_CERT: text.optional().describe("File with the certificate that the brokers want to see"),
  KAFKA_TLS_KEY: text.optional().describe("File with the key of that certificate"),
  KAFKA_SASL_MECHANISM: z
    .enum(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    .optional()
    .describe("How the brokers want to be told who we are; not at all if unset"),
  KAFKA_SASL_USERNAME: text.optional().describe("Who we are to the brokers"),
  KAFKA_SASL_PASSWORD: text.optional().describe("The password of that user (secret)"),
  EVENTS_WEBHOOK_URL: url("http:", "https:")
    .refine((value) => URL.parse(value)?.username === "" && URL.parse(value)?.password === "", {
      error: "without a user and a password",
    })
    .optional()
    .describe("Forwards events to this address, each as a signed POST"),
  EVENTS_WEBHOOK_SECRET: listed(secret)
    .optional()
    .describe(
      "What they are signed with: whsec_ and 24 to 64 bytes of base64; two, comma-separated, while it changes",
    ),
  EVENTS_WEBHOOK_TYPES: listed(z.enum(EVENT_TYPES))
    .optional()
    .describe("Types of events that are posted, comma-separated; all if unset"),
  EVENTS_WEBHOOK_BATCH: wholeNumber
    .min(1)
    .max(500)
    .default(1)
    .describe("Events in one POST at most; more than 1: all of them come in the batch format"),
  EVENTS_WEBHOOK_ATTEMPTS: wholeNumber
    .min(1)
    .max(100)
    .default(10)
    .describe("Attempts at a POST, over about four minutes if ten, before its events are set aside"),
  EVENTS_WEBHOOK_TIMEOUT: wholeNumber
    .min(1)
    .max(60)
    .default(10)
    .describe("Seconds within which a POST must be answered"),
};

type BusEnvironment = z.infer<z.ZodObject<typeof busVariables>>;

/** Rules over several of them: what must hold, and what is reported where it does not. */
export const webhookWhole = [
  (env: BusEnvironment) =>
    (env.EVENTS_WEBHOOK_URL === undefined) === (env.EVENTS_WEBHOOK_SECRET === undefined),
  rule("EVENTS_WEBHOOK_SECRET", "goes together with EVENTS_WEBHOOK_URL"),
] as const;
export const saslWhole = [
  ({ KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD }: BusEnvironment) =>
    new Set([KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD].map((it) => it === undefined))
      .size === 1,
  rule("KAFKA_SASL_MECHANISM", "goes together with KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
] as const;
export const tlsOn = [
  ({ KAFKA_TLS, KAFKA_TLS_CA, KAFKA_TLS_CERT, KAFKA_TLS_KEY }: BusEnvironment) =>
    KAFKA_TLS === "true" || [KAFKA_TLS_CA, KAFKA_TLS_CERT, KAFKA_TLS_KEY].every((file) => file === undefined),
  rule("KAFKA_TLS", "must be true where there are certificates"),
] as const;

/** Where events go. */
export function busOf(its: BusEnvironment): BusConfig {
  const { KAFKA_BROKERS: brokers, EVENTS_WEBHOOK_URL, EVENTS_WEBHOOK_SECRET: secrets } = its;
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD } = its;
  const { KAFKA_TLS_CA: ca, KAFKA_TLS_CERT: cert, KAFKA_TLS_KEY: key, EVENTS_WEBHOOK_TYPES: types } = its;
  return {
    keep: its.EVENTS_KEPT,
    kafka: brokers
      ? {
          ...{ brokers, topicPrefix: its.KAFKA_TOPIC_PREFIX },
          tls: its.KAFKA_TLS === "true" ? { ca, cert, key } : null,
          sasl: mechanism
            ? { mechanism, username: KAFKA_SASL_USERNAME ?? "", password: KAFKA_SASL_PASSWORD ?? "" }
            : null,
        }
      : null,
    webhook:
      EVENTS_WEBHOOK_URL && secrets
        ? {
            url: EVENTS_WEBHOOK_URL,
            keys: secrets.flatMap((value) => keyOf(value) ?? []),
            types: types ? new Set<string>(types) : null,
            batch: its.EVENTS_WEBHOOK_BATCH,
            attempts: its.EVENTS_WEBHOOK_ATTEMPTS,
            timeoutMs: its.EVENTS_WEBHOOK_TIMEOUT * 1_000,
          }
        : null,
  };
}

function keyOf(value: string): Buffer | undefined {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}

export type BusConfig = {
  /** Events that stay on the bus at least, for readers of their own. */
  keep: number;
  kafka: KafkaConfig | null;
  webhook: WebhookConfig | null;
};

export type KafkaConfig = {
  brokers: string[];
  topicPrefix: string;
  /** Files; null: no TLS. */
  tls: { ca: string | undefined; cert: string | undefined; key: string | undefined } | null;
  sasl: { mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"; username: string; password: string } | null;
};

export type WebhookConfig = {
  url: string;
  keys: readonly Uint8Array[];
  /** null: all of them. */
  types: ReadonlySet<string> | null;
  batch: number;
  attempts: number;
  timeoutMs: number;
};
