import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../../db/postgres/connect.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { connectRedis, runScript } from "../../ingest/redis.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { storeEvents } from "../support/store.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let server: TestRedis;
beforeAll(async () => {
  [database, server] = await Promise.all([createTestDatabase(), startTestRedis()]);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** What the log says of an error. */
function logged(error: unknown): string {
  const lines: string[] = [];
  createLog("info", { write: (line) => void lines.push(line) }).error({ error }, "failed");
  return lines.join("");
}

test("an error of Postgres is logged without the statement and without its values", async () => {
  const { db, close } = connect(database.url, { max: 1 });
  await db.execute("DROP TABLE listitems CASCADE");
  const event = {
    type: "heartbeat" as const,
    event_id: "e",
    occurred_at: 1,
    content_id: "a-private-title" as never,
    catalog_id: null,
    playback_time: 1,
    duration: null,
    completes: false,
    play_id: null,
    device_id: null,
  };
  const error = await storeEvents(db, [{ user_id: "a-private-user" as never, event }]).catch(
    (caught) => caught,
  );
  await close();
  const line = logged(error);
  expect(line).toContain("42P01");
  expect(line).not.toMatch(/a-private|INSERT|unnest/);
});

test("an error of Redis is logged without the command", async () => {
  const redis = connectRedis(server.url);
  await redis.set("key", "a-private-value");
  const script = { source: "return redis.call('HGET', KEYS[1], ARGV[1])", readOnly: true };
  const error = await runScript(redis, script, ["key"], ["a-private-field"]).catch((caught) => caught);
  redis.disconnect();
  const line = logged(error);
  expect(line).toContain("WRONGTYPE");
  expect(line).not.toMatch(/a-private|HGET/);
});
