import { readFile } from "node:fs/promises";
import type { Producer } from "@platformatic/kafka";
import { type BusEntry, namesOf } from "./bus-entry.ts";
import type { KafkaConfig } from "./config.ts";
import type { Target } from "./forward.ts";

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 8_000;
/** For a whole batch, the client's own retries included: less than the patience with which a process is stopped. */
const PATIENCE_MS = 12_000;
/** The client takes 1 or less of an idempotent producer for "as often as it takes", and then says nothing of an outage. */
const RETRIES = { retries: 2, retryDelay: 250 };
const AT_ONCE = 500;
/** Of all replicas that are in sync. */
const ACKS_ALL = -1;
/** In the words of the protocol: an id is asked for. The client would ask for number 0 to be prolonged. */
const NO_PRODUCER_YET = { producerId: -1n, producerEpoch: -1 };
/** What is wrong with a message, not with the world: no other try would mend it. */
const HOPELESS = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD"]);

/**
 * Kafka: each type in a topic of its own, `<prefix>.history-updated`, by the key of its user, so that Kafka keeps the
 * order of a user's events. The value is the event as it is, structured mode of the CloudEvents binding.
 *
 * The client is loaded when it is first needed, and not at all where there is no Kafka.
 */
export function kafkaTarget(config: KafkaConfig, connect = connectTo): Target {
  let connected: Promise<KafkaProducer> | undefined;

  async function send(entries: readonly BusEntry[]): Promise<void> {
    connected ??= connect(config);
    const producer = connected;
    const messages = entries.map((entry) => messageOf(entry, config.topicPrefix));
    try {
      await inTime(producer.then((its) => its.send({ messages })));
    } catch (error) {
      if (!isHopeless(error)) await disconnect();
      throw error;
    }
  }

  /** What it knew of the cluster may be old: the next attempt begins anew. */
  async function disconnect(): Promise<void> {
    const its = connected;
    connected = undefined;
    if (its) await inTime(its.then((producer) => producer.close())).catch(() => {});
  }

  const deliver: Target["deliver"] = async (entries, told, signal) => {
    if (entries.length === 0) return;
    try {
      await send(entries);
    } catch (error) {
      const [alone, another] = entries;
      if (!alone || !isHopeless(error)) throw error;
      if (!another) return await told.refused(alone, reasonOf(error));
      const middle = Math.ceil(entries.length / 2);
      await deliver(entries.slice(0, middle), told, signal);
      return await deliver(entries.slice(middle), told, signal);
    }
    await told.taken(entries);
  };

  return { name: "kafka", atOnce: AT_ONCE, deliver, close: disconnect };
}

async function connectTo({ brokers, tls, sasl }: KafkaConfig): Promise<KafkaProducer> {
  const kafka = await import("@platformatic/kafka");
  const [ca, cert, key] = await Promise.all([tls?.ca, tls?.cert, tls?.key].map(contentOf));
  return new kafka.Producer({
    ...{ clientId: "playhead", bootstrapBrokers: brokers, serializers: kafka.stringSerializers },
    ...{ acks: ACKS_ALL, idempotent: true, ...NO_PRODUCER_YET, autocreateTopics: true },
    ...{
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      ...RETRIES,
    },
    ...(tls
      ? { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }, tlsServerName: true }
      : {}),
    ...(sasl ? { sasl } : {}),
  });
}

function messageOf(entry: BusEntry, prefix: string) {
  return {
    topic: `${prefix}.${kebab(namesOf(entry)?.type ?? "")}`,
    ...{ key: entry.user, value: entry.event },
    headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
  };
}

function kebab(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
}

async function contentOf(file: string | undefined): Promise<Buffer | undefined> {
  return file === undefined ? undefined : await readFile(file);
}

function isHopeless(error: unknown): boolean {
  return apiCodesOf(error).some((code) => HOPELESS.has(code));
}

function reasonOf(error: unknown): string {
  return apiCodesOf(error).find((code) => HOPELESS.has(code)) ?? "refused";
}

/** @throws when it takes too long; it goes on by itself then. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("Kafka took too long")), PATIENCE_MS);
  return await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

/** The words of the protocol in an error and in all that it wraps. */
function apiCodesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const own = "apiId" in error && typeof error.apiId === "string" ? [error.apiId] : [];
  const inner = error instanceof AggregateError ? error.errors.flatMap(apiCodesOf) : [];
  return [...own, ...inner, ...apiCodesOf(error.cause)];
}

/** What is used of it. */
export type KafkaProducer = Pick<Producer<string, string, string, string>, "send" | "close">;
