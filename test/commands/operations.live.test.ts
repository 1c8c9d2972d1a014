import { execFile } from "node:child_process";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import {
  eventStream,
  historyKeys,
  partiesDue,
  partyBuffer,
  partyDead,
  recordPrefix,
  searchIndex,
} from "../../db/redis/keys.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.db.execute(sql`
    INSERT INTO contents (content_id, title, sport, teams) VALUES
      ('c', 'Its title', 'cricket', '{India,Ireland}'), ('b', 'Another', 'football', '{}')
  `);
  await world.watched("alice", beat("a"), beat("b"), beat("c"));
  await world.watched("bob", beat("a"));
  await world.history("alice");
});
afterAll(async () => {
  await world.stop();
});

const beat = (content_id: string) => ({ content_id, playback_time: 60, duration: 3600 });
const [, order, progress] = historyKeys("alice" as UserId);

describe("npm run audit", () => {
  test("finds nothing to complain of, and says who is cold", async () => {
    const { code, stdout } = await run("audit");
    expect(stdout).toBe("2 users, 1 of them cold, 0 differences\n");
    expect(code).toBe(0);
  });

  test("prints each kind of difference, and npm run rebuild mends them all", async () => {
    await world.redis.zrem(order, "a");
    await world.redis.hset(progress, "b", "[[1,5,5,null,0,null],[0]]");
    await world.redis.hset(`${recordPrefix("alice" as UserId)}c`, "view", '{"title":"Not its title"}');
    await world.redis.zadd(order, 1, "never-watched");

    const found = await run("audit", "alice");
    expect(found.code).toBe(1);
    for (const what of [
      "alice a order",
      "alice a progress",
      "alice b progress",
      "alice c record",
      "never-watched",
    ]) {
      expect(found.stdout).toContain(what);
    }

    const rebuilt = await run("rebuild", "alice");
    expect(rebuilt).toMatchObject({ code: 0, stdout: "1 users rebuilt\n" });
    expect(rebuilt.stderr).toContain("rebuild: 1 of 1");
    expect(await run("audit", "alice")).toMatchObject({ code: 0 });
    expect((await world.history("alice")).map((item) => item.content_id).sort()).toEqual(["a", "b", "c"]);
  });

  test("an index that finds an item under no value, or under another's, is a difference, and rebuild mends it", async () => {
    const record = `${recordPrefix("alice" as UserId)}b`;
    await world.redis.hset(record, "sport", Buffer.from("cricket").toString("hex"));
    await world.redis.call("FT.ADDHASH", searchIndex, record, 1, "REPLACE");
    const { code, stdout } = await run("audit", "alice");
    expect(code).toBe(1);
    expect(stdout).toContain("alice b index\n  postgres sport=football\n  redis    -");
    expect(stdout).toContain("alice b index\n  postgres -\n  redis    sport=cricket");
    expect(await run("rebuild", "alice")).toMatchObject({ code: 0 });
    expect(await run("audit", "alice")).toMatchObject({ code: 0 });
  });

  test("a view that Redis cannot read is a difference, and the others are still looked at", async () => {
    await world.redis.set(historyKeys("alice" as UserId)[0], "not a state");
    const { code, stdout } = await run("audit");
    expect(code).toBe(1);
    expect(stdout).toContain("alice * view");
    expect(stdout).toContain("2 users, 1 of them cold, 1 differences");
    expect(await run("rebuild", "alice")).toMatchObject({ code: 0 });
    expect(await run("audit")).toMatchObject({ code: 0 });
  });

  test("losing every view loses nothing: rebuild without a name makes them all", async () => {
    await world.redis.flushall();
    expect(await run("rebuild")).toMatchObject({ code: 0, stdout: "2 users rebuilt\n" });
    expect(await run("audit")).toMatchObject({ code: 0, stdout: "2 users, 0 of them cold, 0 differences\n" });
  });

  test("a name that cannot be one is refused", async () => {
    expect((await run("audit", "no such user")).code).toBe(1);
  });
});

describe("npm run reindex", () => {
  const byCricket = async () =>
    (await world.history("alice", "?sport=cricket")).map(({ content_id }) => content_id);

  test.each(["sorted-sets", "json-array", "redisearch"])("changes the model to %s", async (model) => {
    await world.history("alice");
    const { code, stdout, stderr } = await run("reindex", { HISTORY_INDEX: model });
    expect([code, stdout]).toEqual([0, `2 users reindexed: ${model}\n`]);
    expect(stderr).toContain("reindex: 2 of 2");
    expect(await world.redis.hget(historyKeys("alice" as UserId)[0], "index")).toContain(model);
    expect(await run("audit", { HISTORY_INDEX: model })).toMatchObject({
      code: 0,
      stdout: "2 users, 0 of them cold, 0 differences\n",
    });
    const wrong = await run("audit", {
      HISTORY_INDEX: model === "json-array" ? "sorted-sets" : "json-array",
    });
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain("made for another index");
    // An ingest that still runs with the old model answers, too, and warms for its own.
    expect(await byCricket()).toEqual(["c"]);
  });
});

describe("npm run quarantine", () => {
  test("lists with the reason, replays, drops", async () => {
    expect((await run("quarantine", "list")).stdout).toBe("Nothing is in quarantine.\n");
    await world.db.execute(
      sql`ALTER TABLE listitems ADD CONSTRAINT no_poison CHECK (content_id <> 'poison')`,
    );
    await world.watched("carol", beat("poison"));
    await world.redis.xadd(eventStream, "*", "entry", "garbage", "events", "1");
    await world.drained();

    const { stdout } = await run("quarantine", "list");
    expect(stdout).toContain("no_poison");
    expect(stdout).toContain("2 in quarantine.");
    const [first, second] = Array.from(stdout.matchAll(/^(\d+-\d+) {2}/gm), ([, id]) => id ?? "");

    await world.db.execute(sql`ALTER TABLE listitems DROP CONSTRAINT no_poison`);
    expect(await run("quarantine", "replay", first ?? "")).toMatchObject({
      code: 0,
      stdout: "1 put back into the stream.\n",
    });
    await world.drained();
    expect((await world.history("carol")).map((item) => item.content_id)).toEqual(["poison"]);
    expect(await run("quarantine", "drop", "1-1")).toMatchObject({ code: 1 });
    expect(await run("quarantine", "drop", second ?? "")).toMatchObject({ code: 0 });
    expect((await run("quarantine", "list")).stdout).toBe("Nothing is in quarantine.\n");
  });

  test("and what Postgres refused of parties", async () => {
    const record = { party_id: "p1", event_id: "e1", at: 1, media_time: 0, user_id: "carol" };
    const like = JSON.stringify({ ...record, kind: "like", count: 3 });
    await world.db.execute(sql`ALTER TABLE watch_party_likes ADD CONSTRAINT no_likes CHECK (count <> 3)`);
    await world.redis.xadd(partyBuffer("p1"), "*", "record", like);
    await world.redis.zadd(partiesDue, 0, "p1");
    await until(async () => (await world.redis.xlen(partyDead)) === 1);
    const { stdout } = await run("quarantine", "list");
    expect(stdout).toContain("no_likes");
    expect(stdout).toContain(like);

    await world.db.execute(sql`ALTER TABLE watch_party_likes DROP CONSTRAINT no_likes`);
    expect(await run("quarantine", "replay", "all")).toMatchObject({ code: 0 });
    await until(async () => (await world.db.execute(sql`SELECT 1 FROM watch_party_likes`)).length === 1);
    await until(async () => (await world.redis.exists(partyBuffer("p1"), partiesDue)) === 0);
    expect(await world.redis.xlen(partyDead)).toBe(0);
    expect(await run("quarantine", "drop", "party:1-1")).toMatchObject({ code: 1 });
  });

  test("says how it is used", async () => {
    for (const args of [[], ["replay"], ["burn", "1-1"]]) {
      const { code, stderr } = await run("quarantine", ...args);
      expect(code).toBe(1);
      expect(stderr).toContain("usage: npm run quarantine");
    }
  });
});

/** A command as its users run it. */
function run(
  command: string,
  ...given: (string | Record<string, string>)[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = given.filter((one) => typeof one === "string");
  const settings = given.filter((one) => typeof one === "object");
  const stores = { DATABASE_URL: world.database.url, REDIS_URL: world.redisUrl };
  const env = Object.assign({ ...process.env, ...stores }, ...settings);
  return new Promise((resolve) => {
    execFile(process.execPath, [`commands/${command}.ts`, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
