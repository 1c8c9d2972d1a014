import { type PartyQuarantine, partyQuarantine } from "../ingest/party/quarantine.ts";
import { connectRedis } from "../ingest/redis.ts";
import { eventStreamOn } from "../ingest/stream.ts";
import { run } from "./local/run.ts";
import { withRedis } from "./local/with-redis.ts";

const USAGE =
  "usage: npm run quarantine -- list | replay ID... | drop ID...   (all instead of ID: every entry)";
const LISTED = 1_000;
/** Before the ids of what is of parties: both quarantines count for themselves. */
const PARTY = "party:";

/** `npm run quarantine`: what no code could apply, and why; puts it back where it came from, or throws it away. */
await run(async () => {
  const [verb, ...ids] = process.argv.slice(2);
  if (verb !== "list" && ((verb !== "replay" && verb !== "drop") || ids.length === 0)) throw new Error(USAGE);
  // The quarantine is kept beside the stream.
  const env = { ...process.env, REDIS_URL: process.env.STREAM_REDIS_URL || process.env.REDIS_URL };
  return await withRedis(env, async (url) => {
    const redis = connectRedis(url);
    try {
      const events = eventStreamOn(redis, redis, { consumer: "quarantine", replicas: 0 });
      const both = { events, parties: partyQuarantine(redis) };
      return verb === "list" ? await list(both) : await each(both, verb, ids);
    } finally {
      redis.disconnect();
    }
  });
});

async function list(both: Both): Promise<number> {
  const entries = await listed(both);
  for (const { id, events, reason, payload } of entries) {
    console.log(`${id}  ${events} event${events === 1 ? "" : "s"}  ${reason}\n    ${payload}`);
  }
  console.log(entries.length === 0 ? "Nothing is in quarantine." : `${entries.length} in quarantine.`);
  return 0;
}

async function each(both: Both, verb: "replay" | "drop", named: readonly string[]): Promise<number> {
  const ids = named.includes("all") ? (await listed(both)).map(({ id }) => id) : named;
  let missing = 0;
  for (const id of ids) {
    const done = id.startsWith(PARTY)
      ? await both.parties[verb](id.slice(PARTY.length))
      : await both.events[verb](id);
    if (!done) {
      console.error(`${id} is not in quarantine`);
      missing++;
    }
  }
  const done = ids.length - missing;
  console.log(verb === "replay" ? `${done} put back into the stream.` : `${done} thrown away.`);
  return missing === 0 ? 0 : 1;
}

async function listed({ events, parties }: Both) {
  const ofParties = await parties.quarantined(LISTED);
  return [
    ...(await events.quarantined(LISTED)),
    ...ofParties.map((its) => ({ ...its, id: `${PARTY}${its.id}` })),
  ];
}

type Both = { events: PartyQuarantine; parties: PartyQuarantine };
