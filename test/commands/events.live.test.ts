import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { busStream, deadEvents } from "../../db/redis/keys.ts";
import { connectRedis } from "../../ingest/redis.ts";
import { eventOf, publish } from "../support/bus.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { type Playhead, playheadIn, type Running } from "./playhead.ts";

/** `npm run events`, as its users run it. */

let server: TestRedis;
let redis: Redis;
const places: Playhead[] = [];
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: "no" });
  redis = connectRedis(server.url);
  await publish(redis, eventOf("alice", "a1"), eventOf("bob", "b1"));
});
afterEach(async () => {
  for (const place of places.splice(0)) await place.clear();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function events(...args: string[]): Running {
  const place = playheadIn();
  places.push(place);
  return place.command("events", args, { REDIS_URL: server.url });
}

const idsIn = ({ said }: Running) =>
  said.out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line).id);

test("tail prints one event a line: from the start, and as they come, until it is told to stop", async () => {
  const tail = events("tail", "--from", "start");
  await until(() => idsIn(tail).length === 2);
  await publish(redis, eventOf("alice", "a2"));
  await until(() => idsIn(tail).length === 3);
  expect(idsIn(tail)).toEqual(["a1", "b1", "a2"]);
  expect(JSON.parse(tail.said.out.split("\n")[0] ?? "")).toEqual(eventOf("alice", "a1"));
  tail.child.kill("SIGINT");
  expect(await tail.code).toBe(0);
  expect(tail.said.err).toBe("");
});

test("of one user, of one type; and only what is new, unless it is asked otherwise", async () => {
  const [alices, others, news] = [
    events("tail", "--from", "start", "--user", "alice"),
    events("tail", "--from", "start", "--type", "VideoRated"),
    events("tail"),
  ];
  await until(() => idsIn(alices).length === 2);
  let n = 0;
  await until(async () => {
    await publish(redis, eventOf("bob", `new ${n++}`));
    return idsIn(news).length > 0;
  });
  expect(idsIn(alices)).toEqual(["a1", "a2"]);
  expect(idsIn(others)).toEqual([]);
  expect(idsIn(news).every((id: string) => id.startsWith("new "))).toBe(true);
});

test("dead lists what was set aside and why; replay puts it on the bus again", async () => {
  const none = events("dead");
  expect(await none.code).toBe(0);
  expect(none.said.out).toBe("No event is set aside.\n");

  const dead = JSON.stringify(eventOf("alice", "dead"));
  const fields = ["user", "alice", "event", dead, "target", "webhook", "reason", "answered 410", "at", "0"];
  const id = (await redis.xadd(deadEvents, "*", ...fields)) ?? "";
  const list = events("dead");
  await list.code;
  expect(list.said.out).toBe(
    `${id}  webhook  1970-01-01T00:00:00.000Z  answered 410\n    ${dead}\n1 set aside.\n`,
  );

  const missing = events("replay", "1-1");
  expect(await missing.code).toBe(1);
  expect(missing.said.err).toBe("1-1 is not set aside\n");

  const replay = events("replay", "all");
  expect(await replay.code).toBe(0);
  expect(replay.said.out).toBe("1 put on the bus again.\n");
  const [newest] = await redis.xrevrange(busStream, "+", "-", "COUNT", 1);
  expect(newest?.[1]).toEqual(["user", "alice", "event", dead]);
  expect(await redis.xlen(deadEvents)).toBe(0);
});

test("says how it is used", async () => {
  for (const args of [[], ["replay"], ["tail", "--from", "yesterday"], ["dead", "1-1"]]) {
    const wrong = events(...args);
    expect(await wrong.code).toBe(1);
    expect(wrong.said.err).toContain("usage: npm run -s events");
  }
});
