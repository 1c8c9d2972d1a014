import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, type Database } from "../../db/postgres/connect.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { createLog } from "../../ingest/observe/log.ts";
import { type CarryDeps, carryChanges, pendingChanges } from "../../ingest/views/carry-changes.ts";
import { contentLookup } from "../../ingest/views/contents.ts";
import type { Projection } from "../../ingest/views/project.ts";
import { testClock } from "../support/clock.ts";
import { allowConnections, disconnect, isWaiting } from "../support/connections.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { until } from "../support/until.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 6 }));
});
afterAll(async () => {
  await close();
  await database.drop();
});
beforeEach(async () => {
  await db.execute(sql`TRUNCATE listitems, contents, content_changes`);
});

describe("a change of the catalogue", () => {
  test("reaches every viewer of its content once, in pages, and nobody else", async () => {
    await watched("big", 2_300);
    await watched("mid", 400);
    await watched("few", 3);
    await watched("unchanged", 5);
    await db.execute(
      sql`INSERT INTO listitems (user_id, playlist, content_id) VALUES ('reader', 'watchlist', 'few')`,
    );
    for (const content of ["mid", "none", "big", "few"]) await change(content);

    const views = recorder();
    await carryAll(views.project);
    expect(views.pages.map((page) => page.length)).toEqual([1_000, 1_000, 703]);
    expect(contentsOf(views.pages[2])).toEqual(["big", "few", "mid"]);
    expect(views.keys()).toEqual([...users("big", 2_300), ...users("few", 3), ...users("mid", 400)]);
    expect(views.rows().every((row) => row.content_rev === 1 && row.playback_time === 60)).toBe(true);
  });

  test("ends with a page that is exactly full", async () => {
    await watched("a", 1_000);
    await watched("b", 1);
    for (const content of ["a", "b"]) await change(content);
    const views = recorder();
    await carryAll(views.project);
    expect(views.keys()).toEqual([...users("a", 1_000), ...users("b", 1)]);
  });

  test("is not confused by ids whose order depends on the locale, or that look like something else", async () => {
    const contents = ["Z", "a", "ä", "\u{1F600}", "\uFF5E", 'q"', "{b}", "NULL", "c,d", "\\"];
    for (const content of contents) {
      await watched(content, 250);
      await change(content);
    }
    const views = recorder();
    await carryAll(views.project);
    expect(views.keys().sort()).toEqual(contents.flatMap((content) => users(content, 250)).sort());
  });

  test("is carried once more as far as a projection failed, and from nowhere else", async () => {
    await watched("big", 2_500);
    await change("big");
    let failures = 0;
    const views = recorder(async ({ rows }) => {
      if (rows[0]?.user_id === "user-001000" && failures++ < 2) throw new Error("Redis is away");
    });
    await carryAll(views.project);
    expect(failures).toBe(3);
    expect(views.keys()).toEqual(users("big", 2_500));
  });

  test("is not let go of before it is told that the catalogue is another", async () => {
    await change("none");
    let told = 0;
    const pending: number[] = [];
    const catalogueMoved = async () => {
      pending.push(await pendingChanges(db));
      if (++told < 3) throw new Error("Redis is away");
    };
    await carryAll(recorder().project, { catalogueMoved });
    expect(pending).toEqual([1, 1, 1]);
  });

  test("goes on where a stopped job left it", async () => {
    await watched("big", 2_500);
    await change("big");
    const views = recorder(async () => {
      if (views.pages.length === 1) first.abort();
    });
    const first = carry(views.project);
    await first.ended;
    expect(views.pages).toHaveLength(2);
    expect(await changes()).toEqual([
      { content_id: "big", rev: 1, after_user: "user-001999", viewers: 2_000 },
    ]);

    await carryAll(views.project);
    expect(views.keys()).toEqual(users("big", 2_500));
  });

  test("goes on where a job died in the middle of a page: that page comes again", async () => {
    await watched("big", 2_500);
    await change("big");
    const views = recorder();
    const dying = carry(async (projection) => {
      await views.project(projection);
      if (views.pages.length < 2) return;
      dying.abort();
      throw new Error("killed");
    });
    await dying.ended;
    expect(await changes()).toEqual([
      { content_id: "big", rev: 1, after_user: "user-000999", viewers: 1_000 },
    ]);

    await carryAll(views.project);
    expect(views.keys()).toEqual([...users("big", 2_000), ...users("big", 2_500).slice(1_000)]);
  });

  test("starts from the beginning when the content changes once more in the middle", async () => {
    await watched("big", 2_500);
    await change("big");
    const changed = Promise.withResolvers<unknown>();
    const views = recorder(async () => {
      if (views.started() !== 2) return;
      changed.resolve(change("big", 2));
      await until(() => isWaiting(database, "Lock"), { what: "the second change to wait for the page" });
    });
    const job = carry(views.project);
    await changed.promise;
    await until(async () => (await pendingChanges(db)) === 0);
    await job.stop();
    const second = views.rows().filter((row) => row.content_rev === 2);
    expect(second.map((row) => `big ${row.user_id}`)).toEqual(users("big", 2_500));
  });

  test("that comes while the last page is carried is not taken for carried", async () => {
    await watched("few", 3);
    await change("few");
    const changed = Promise.withResolvers<unknown>();
    const views = recorder(async () => {
      if (views.started() > 1) return;
      changed.resolve(change("few", 2));
      await until(() => isWaiting(database, "Lock"), { what: "the second change to wait for the page" });
    });
    const job = carry(views.project);
    await changed.promise;
    await until(async () => (await pendingChanges(db)) === 0);
    await job.stop();
    expect(views.rows().map((row) => row.content_rev)).toEqual([1, 1, 1, 2, 2, 2]);
  });

  test("is not taken for carried by a page that lost its connection, and its lock, before it came", async () => {
    await watched("few", 3);
    await change("few");
    const warnings: string[] = [];
    const log = createLog("warn", { write: (line) => void warnings.push(line) });
    const views = recorder(async () => {
      if (warnings.length > 0) return;
      await disconnect(database, "idle in transaction");
      await until(() => warnings.length > 0, { what: "the job to see that it lost its connection" });
      await change("few", 2);
    });
    await carryAll(views.project, { log });
    const carried = views.rows().filter((row) => row.content_rev === 2);
    // The page that lost its connection may have projected it already; it is not believed, and comes again.
    expect([...new Set(carried.map((row) => `few ${row.user_id}`))]).toEqual(users("few", 3));
    expect(views.pages.length).toBeGreaterThan(1);
  });
});

describe("several jobs", () => {
  test("share the work; none waits for another", async () => {
    for (let n = 0; n < 800; n++) await db.execute(watching(`content-${1_000 + n}`, 1));
    await db.execute(sql`INSERT INTO contents (content_id) SELECT DISTINCT content_id FROM listitems`);
    await db.execute(sql`INSERT INTO content_changes (content_id, rev) SELECT content_id, 1 FROM contents`);
    const gate = Promise.withResolvers<void>();
    const held = recorder(() => gate.promise);
    const slow = carry(held.project);
    const changesHeld = 500;
    await until(() => held.started() === 1);
    const views = recorder();
    const quick = carry(views.project);
    await until(async () => (await pendingChanges(db)) === changesHeld);
    expect(views.rows()).toHaveLength(300);

    gate.resolve();
    await until(async () => (await pendingChanges(db)) === 0);
    await Promise.all([slow.stop(), quick.stop()]);
    expect(new Set([...held.keys(), ...views.keys()]).size).toBe(800);
    expect(held.rows()).toHaveLength(500);
  });

  test("carry everything at least once, whatever fails in between", async () => {
    const contents = Array.from({ length: 30 }, (_, n) => `content-${n}`);
    for (const content of contents) {
      await watched(content, 170);
      await change(content);
    }
    let calls = 0;
    const views = recorder(async () => {
      if (calls++ % 3 === 1) throw new Error("Redis is away");
    });
    const jobs = [carry(views.project), carry(views.project), carry(views.project)];
    await until(async () => (await pendingChanges(db)) === 0);
    await Promise.all(jobs.map((job) => job.stop()));
    expect([...new Set(views.keys())].sort()).toEqual(contents.flatMap((its) => users(its, 170)).sort());
  });
});

describe("an import", () => {
  test("of contents that nobody watched goes in few transactions, which read little more than the viewers", async () => {
    const { db: one, close: closeOne } = connect(database.url, { max: 1 });
    await one.execute(
      sql`INSERT INTO contents (content_id) SELECT 'content-' || n FROM generate_series(1, 100000) n`,
    );
    await one.execute(
      sql`INSERT INTO content_changes (content_id, rev) SELECT content_id, 1 FROM contents LIMIT 20000`,
    );
    await one.execute(sql`
      INSERT INTO listitems (user_id, playlist, content_id)
      SELECT 'user-' || u, 'watchhistory', 'content-' || c FROM generate_series(1, 3000) c, generate_series(1, 10) u`);
    await one.execute(watching("unchanged", 10_000));
    await one.execute(sql`ANALYZE`);
    const before = await rowsRead(one);

    let transactions = 0;
    const counting: Pick<Database, "execute" | "transaction"> = {
      execute: (query) => one.execute(query),
      transaction: (run) => {
        transactions++;
        return one.transaction(run);
      },
    };
    const views = recorder();
    const job = carry(views.project, { db: counting as Database });
    await until(async () => (await pendingChanges(db)) === 0, { timeout: 20_000 });
    await job.stop();

    expect(views.rows()).toHaveLength(30_000);
    // 40 pages of 500 changes, 30 of 1,000 viewers, and looks in vain
    expect(transactions).toBeLessThan(100);
    expect((await rowsRead(one)) - before).toBeLessThan(45_000);
    await closeOne();
  });

  test("says how far it is: every few seconds, and at the end", async () => {
    await watched("big", 2_500);
    for (const content of ["a", "big", "z"]) await change(content);
    const clock = testClock();
    const lines: Record<string, unknown>[] = [];
    const log = createLog("info", { write: (line) => void lines.push(JSON.parse(line)) });
    const views = recorder(async () => clock.advance(views.pages.length === 1 ? 5_000 : 10));
    await carryAll(views.project, { log, clock: clock.now });
    expect(lines.map(({ contents, viewers, left, msg }) => ({ contents, viewers, left, msg }))).toEqual([
      { contents: 1, viewers: 2_000, left: 2, msg: "catalogue changes carried" },
      { contents: 3, viewers: 2_500, left: 0, msg: "catalogue changes carried" },
    ]);
  });
});

test("an outage of Postgres is waited for", async () => {
  await watched("big", 2_500);
  await change("big");
  const { db: one, close: closeOne } = connect(database.url, { max: 1 });
  const warnings: string[] = [];
  const log = createLog("warn", { write: (line) => void warnings.push(line) });
  const views = recorder(async () => {
    if (views.pages.length !== 1 || warnings.length > 0) return;
    await allowConnections(database, false);
    await disconnect(database, "idle in transaction");
    await until(() => warnings.length > 0, { what: "the job to see that it lost its connection" });
  });
  const job = carry(views.project, { db: one, log });
  await until(() => warnings.length >= 3);
  await allowConnections(database, true);
  await until(async () => (await pendingChanges(db)) === 0);
  await job.stop();
  await closeOne();
  expect(new Set(views.keys())).toEqual(new Set(users("big", 2_500)));
  expect(await changes()).toEqual([]);
});

/** Carries in the background. */
function carry(project: CarryDeps["project"], its: Partial<CarryDeps> = {}) {
  const stopping = new AbortController();
  const deps = {
    db,
    project,
    catalogueMoved: async () => {},
    clock: Date.now,
    log: createLog("silent"),
    ...its,
  };
  const ended = carryChanges(deps, stopping.signal);
  const abort = () => stopping.abort();
  const stop = async () => {
    abort();
    await ended;
  };
  return { ended, abort, stop };
}

/** Carries until nothing is pending. */
async function carryAll(project: CarryDeps["project"], its: Partial<CarryDeps> = {}): Promise<void> {
  const job = carry(project, its);
  await until(async () => (await pendingChanges(db)) === 0);
  await job.stop();
}

/** Views that remember what was projected into them; `first` may fail or wait. */
function recorder(first: (projection: Projection) => Promise<unknown> = async () => {}) {
  const pages: (HistoryRow & { content_rev: number })[][] = [];
  let started = 0;
  const rows = () => pages.flat();
  return {
    pages,
    rows,
    started: () => started,
    keys: () => rows().map((row) => `${row.content_id} ${row.user_id}`),
    project: async (projection: Projection): Promise<void> => {
      started++;
      await first(projection);
      // As a projection does: what the catalogue says now.
      const known = await contentLookup(db)(projection.rows);
      const revOf = (row: HistoryRow) => known.get(row.content_id)?.rev ?? 0;
      pages.push(projection.rows.map((row) => ({ ...row, content_rev: revOf(row) })));
    },
  };
}

function contentsOf(page: readonly HistoryRow[] | undefined): string[] {
  return [...new Set(page?.map((row) => row.content_id))];
}

/** The catalogue changes as it does in life: the content and what is pending, in one statement. */
async function change(content: string, rev = 1): Promise<unknown> {
  return await db.execute(sql`
    WITH stored AS (
      INSERT INTO contents (content_id, rev) VALUES (${content}, ${rev})
      ON CONFLICT (content_id) DO UPDATE SET rev = excluded.rev
      RETURNING content_id, rev
    )
    INSERT INTO content_changes (content_id, rev) SELECT * FROM stored
    ON CONFLICT (content_id) DO UPDATE SET rev = excluded.rev, after_user = '', viewers = 0
  `);
}

async function watched(content: string, viewers: number): Promise<void> {
  await db.execute(watching(content, viewers));
}

function watching(content: string, viewers: number) {
  return sql`
    INSERT INTO listitems (user_id, playlist, content_id, playback_time, position_at)
    SELECT 'user-' || lpad(n::text, 6, '0'), 'watchhistory', ${content}, 60, 1 FROM generate_series(0, ${viewers - 1}::int) n`;
}

/** What `watched` made, in the order in which it is carried. */
function users(content: string, viewers: number): string[] {
  return Array.from({ length: viewers }, (_, n) => `${content} user-${String(n).padStart(6, "0")}`);
}

async function changes(): Promise<unknown[]> {
  return [...(await db.execute(sql`SELECT content_id, rev, after_user, viewers FROM content_changes`))];
}

/** Rows of the catalogue and of lists that Postgres has read so far. */
async function rowsRead(one: Database): Promise<number> {
  await one.execute(sql`SELECT pg_stat_force_next_flush()`);
  const rows = await one.execute(sql`
    SELECT sum(seq_tup_read + idx_tup_fetch)::bigint AS read FROM pg_stat_user_tables
    WHERE relname IN ('contents', 'listitems')`);
  return (rows as unknown as { read: number }[])[0]?.read ?? 0;
}
