import { ResponseError } from "@platformatic/kafka";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { deadEventsIn } from "../../ingest/bus/dead-events.ts";
import { type KafkaProducer, kafkaTarget } from "../../ingest/bus/kafka.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { eventOf, forwarding, publish } from "../support/bus.ts";
import { consumed, type MockKafka, startMockKafka, startPassage } from "../support/kafka.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

/** The consumer is kcat, the brokers are librdkafka's: neither is ours. */

let server: TestRedis;
let redis: Redis;
let kafka: MockKafka;
const cleanUp: (() => unknown)[] = [];
beforeAll(async () => {
  [server, kafka] = await Promise.all([startTestRedis({ appendfsync: "no" }), startMockKafka()]);
  redis = connectRedis(server.url);
});
beforeEach(() => redis.flushall());
afterEach(async () => {
  for (const clean of cleanUp.splice(0).toReversed()) await clean();
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all([server.stop(), kafka.stop()]);
});

function start(brokers: string[], topicPrefix: string) {
  const target = kafkaTarget({ brokers, topicPrefix, tls: null, sasl: null });
  const forwarder = forwarding(server.url, target);
  cleanUp.push(forwarder.stop);
  return forwarder;
}

const idsIn = async (of: MockKafka, topic: string) =>
  (await consumed(of, topic)).map(({ value }) => JSON.parse(value).id as string);

test("each event is in the topic of its type, by the key of its user, in the user's order", async () => {
  const events = Array.from({ length: 1_200 }, (_, n) => eventOf(`user-${n % 7}`, `e${n}`));
  await publish(redis, ...events);
  const { counts } = start(kafka.brokers, "whole");
  await until(() => counts.get("forwarded kafka") === 1_200);

  const found = await consumed(kafka, "whole.profile-updated");
  expect(found.length).toBe(1_200);
  for (const user of new Set(events.map(({ subject }) => subject))) {
    const theirs = found.filter(({ key }) => key === user);
    expect(theirs.map(({ value }) => JSON.parse(value))).toEqual(
      events.filter((its) => its.subject === user),
    );
    expect(new Set(theirs.map(({ partition }) => partition)).size).toBe(1);
  }
  expect(new Set(found.map(({ headers }) => headers))).toEqual(
    new Set(["content-type=application/cloudevents+json; charset=utf-8"]),
  );
});

test("brokers that are killed, and others in their place: nothing is lost", async () => {
  const passage = await startPassage();
  cleanUp.push(passage.stop);
  const first = await startMockKafka();
  passage.to(first);
  const { counts, failures } = start([passage.broker], "again");
  await publish(redis, eventOf("alice", "before"));
  await until(() => counts.get("forwarded kafka") === 1);
  expect(await idsIn(first, "again.profile-updated")).toEqual(["before"]);

  passage.to(undefined);
  await first.stop();
  await publish(redis, eventOf("alice", "during 1"), eventOf("alice", "during 2"));
  await until(() => failures() > 1);
  const second = await startMockKafka();
  cleanUp.push(second.stop);
  passage.to(second);
  await until(() => counts.get("forwarded kafka") === 3, { timeout: 20_000 });
  expect(await idsIn(second, "again.profile-updated")).toEqual(["during 1", "during 2"]);
  expect(await deadEventsIn(redis, 10)).toEqual([]);
});

test("brokers that are not there from the beginning are waited for", async () => {
  const passage = await startPassage();
  cleanUp.push(passage.stop);
  const { counts, failures } = start([passage.broker], "late");
  await publish(redis, eventOf("alice", "e1"));
  await until(() => failures() > 1);
  passage.to(kafka);
  await until(() => counts.get("forwarded kafka") === 1, { timeout: 20_000 });
  expect(await idsIn(kafka, "late.profile-updated")).toEqual(["e1"]);
});

test("files that are not there yet are looked for again", async () => {
  let there = false;
  const sent: string[] = [];
  const producer = {
    async send({ messages }: { messages: { value?: string }[] }) {
      sent.push(...messages.map(({ value = "" }) => JSON.parse(value).id as string));
      return {};
    },
    close: async () => {},
  };
  const target = kafkaTarget({ brokers: [], topicPrefix: "any", tls: null, sasl: null }, async () => {
    if (!there) throw new Error("no such file");
    return producer as unknown as KafkaProducer;
  });
  const { stop, failures } = forwarding(server.url, target);
  cleanUp.push(stop);
  await publish(redis, eventOf("alice", "e1"));
  await until(() => failures() > 1);
  there = true;
  await until(() => sent.length === 1);
});

test("a message that no broker will take is set aside alone, and its neighbours arrive", async () => {
  const sent: string[] = [];
  const fussy = {
    async send({ messages }: { messages: { value?: string }[] }) {
      const ids = messages.map(({ value = "" }) => JSON.parse(value).id as string);
      if (ids.includes("e13")) throw new ResponseError(0, 9, { "/": [10, null] }, {});
      sent.push(...ids);
      return {};
    },
    close: async () => {},
  };
  const config = { brokers: [], topicPrefix: "any", tls: null, sasl: null };
  const forwarder = forwarding(
    server.url,
    kafkaTarget(config, async () => fussy as unknown as KafkaProducer),
  );
  cleanUp.push(forwarder.stop);
  const ids = Array.from({ length: 50 }, (_, n) => `e${n}`);
  await publish(redis, ...ids.map((id) => eventOf("alice", id)));
  await until(() => forwarder.counts.get("forwarded kafka") === 49);
  expect(sent).toEqual(ids.filter((id) => id !== "e13"));
  const dead = await deadEventsIn(redis, 10);
  expect(dead.map(({ event, reason }) => [JSON.parse(event).id, reason])).toEqual([
    ["e13", "MESSAGE_TOO_LARGE"],
  ]);
});

test("two share the group: every event arrives", async () => {
  const [one, another] = [start(kafka.brokers, "shared"), start(kafka.brokers, "shared")];
  const sent = Array.from({ length: 3_000 }, (_, n) => `e${n}`);
  for (let at = 0; at < sent.length; at += 300) {
    await publish(redis, ...sent.slice(at, at + 300).map((id) => eventOf(`user-${at}`, id)));
  }
  const forwarded = () =>
    [one, another].reduce((sum, { counts }) => sum + (counts.get("forwarded kafka") ?? 0), 0);
  await until(() => forwarded() >= sent.length);
  expect(new Set(await idsIn(kafka, "shared.profile-updated"))).toEqual(new Set(sent));
});
