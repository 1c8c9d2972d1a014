import { connectRedis } from "../ingest/redis.ts";
import { type EventStream, eventStreamOn } from "../ingest/stream.ts";
import { run } from "./local/run.ts";
import { withRedis } from "./local/with-redis.ts";

const USAGE =
  "usage: npm run quarantine -- list | replay ID... | drop ID...   (all instead of ID: every entry)";
const LISTED = 1_000;

/** `npm run quarantine`: what no code could apply, and why; puts it back into the stream, or throws it away. */
await run(async () => {
  const [verb, ...ids] = process.argv.slice(2);
  if (verb !== "list" && ((verb !== "replay" && verb !== "drop") || ids.length === 0)) throw new Error(USAGE);
  // The quarantine is kept beside the stream.
  const env = { ...process.env, REDIS_URL: process.env.STREAM_REDIS_URL || process.env.REDIS_URL };
  return await withRedis(env, async (url) => {
    const redis = connectRedis(url);
    try {
      const stream = eventStreamOn(redis, redis, { consumer: "quarantine", replicas: 0 });
      return verb === "list" ? await list(stream) : await each(stream, verb, ids);
    } finally {
      redis.disconnect();
    }
  });
});

async function list(stream: EventStream): Promise<number> {
  const entries = await stream.quarantined(LISTED);
  for (const { id, events, reason, payload } of entries) {
    console.log(`${id}  ${events} event${events === 1 ? "" : "s"}  ${reason}\n    ${payload}`);
  }
  console.log(entries.length === 0 ? "Nothing is in quarantine." : `${entries.length} in quarantine.`);
  return 0;
}

async function each(stream: EventStream, verb: "replay" | "drop", named: readonly string[]): Promise<number> {
  const ids = named.includes("all") ? (await stream.quarantined(LISTED)).map(({ id }) => id) : named;
  let missing = 0;
  for (const id of ids) {
    if (!(await stream[verb](id))) {
      console.error(`${id} is not in quarantine`);
      missing++;
    }
  }
  const done = ids.length - missing;
  console.log(verb === "replay" ? `${done} put back into the stream.` : `${done} thrown away.`);
  return missing === 0 ? 0 : 1;
}
