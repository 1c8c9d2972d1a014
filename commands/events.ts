import { parseArgs } from "node:util";
import type { Redis } from "ioredis";
import { EVENT_TYPES } from "../db/contract/event-data.ts";
import { deadEventsIn, replayDeadEvent } from "../ingest/bus/dead-events.ts";
import { tail } from "../ingest/bus/tail.ts";
import { connectRedis } from "../ingest/redis.ts";
import { run } from "./local/run.ts";
import { withRedis } from "./local/with-redis.ts";

const USAGE = `usage: npm run -s events -- tail [--from start] [--type TYPE] [--user USER]
       npm run -s events -- dead
       npm run -s events -- replay ID...   (all instead of ID: every event that was set aside)`;
const LISTED = 1_000;

/** `npm run events`: what is on the bus as it comes, and what a target would not have; puts that on the bus again. */
await run(async () => {
  const { verb, ids, options } = asked();
  // The bus is kept beside the stream.
  const env = { ...process.env, REDIS_URL: process.env.STREAM_REDIS_URL || process.env.REDIS_URL };
  return await withRedis(env, async (url) => {
    const redis = connectRedis(url);
    try {
      if (verb === "tail") return await follow(redis, options);
      return verb === "dead" ? await list(redis) : await replay(redis, ids);
    } finally {
      redis.disconnect();
    }
  });
});

function asked() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { from: { type: "string" }, type: { type: "string" }, user: { type: "string" } },
  });
  const [verb, ...ids] = positionals;
  const { from = "now", type = null, user = null } = values;
  if ((verb !== "tail" && verb !== "dead" && verb !== "replay") || (verb === "replay") !== ids.length > 0) {
    throw new Error(USAGE);
  }
  if (from !== "now" && from !== "start") throw new Error(USAGE);
  if (type !== null && !EVENT_TYPES.some((known) => known === type)) {
    throw new Error(`--type is one of ${EVENT_TYPES.join(", ")}`);
  }
  for (const id of ids) {
    if (id !== "all" && !/^\d+-\d+$/.test(id))
      throw new Error(`${id} is no id: \`events -- dead\` lists them`);
  }
  return { verb, ids, options: { from, type, user } as const };
}

/** One event a line, as JSON, until Ctrl-C. */
async function follow(redis: Redis, options: Parameters<typeof tail>[1]): Promise<number> {
  const over = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => over.abort());
  process.stdout.once("error", () => over.abort());
  for await (const { event } of tail(redis, options, over.signal)) console.log(event);
  return 0;
}

async function list(redis: Redis): Promise<number> {
  const dead = await deadEventsIn(redis, LISTED);
  for (const { id, target, reason, at, event } of dead) {
    console.log(`${id}  ${target}  ${new Date(at).toISOString()}  ${reason}\n    ${event}`);
  }
  console.log(dead.length === 0 ? "No event is set aside." : `${dead.length} set aside.`);
  return 0;
}

async function replay(redis: Redis, named: readonly string[]): Promise<number> {
  const ids = named.includes("all") ? (await deadEventsIn(redis, LISTED)).map(({ id }) => id) : named;
  let missing = 0;
  for (const id of ids) {
    if (await replayDeadEvent(redis, id)) continue;
    console.error(`${id} is not set aside`);
    missing++;
  }
  console.log(`${ids.length - missing} put on the bus again.`);
  return missing === 0 ? 0 : 1;
}
