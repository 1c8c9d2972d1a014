import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ListedContent, ListedContentInput } from "../../db/contract/contents.ts";
import type { ContentId } from "../../db/contract/ids.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { loadContent } from "../../ingest/library/load-content.ts";
import { removeContent } from "../../ingest/library/remove-content.ts";
import { storeContents } from "../../ingest/library/store-contents.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 8 }));
});
beforeEach(() => db.execute(sql`TRUNCATE contents, content_changes`));
afterAll(async () => {
  await close();
  await database.drop();
});

const idOf = (content_id: string) => content_id as ContentId;
const content = (content_id: string, facts: Partial<ListedContent> = {}): ListedContent =>
  ListedContentInput.parse({ content_id, ...facts });
const full: ListedContent = {
  content_id: idOf("full"),
  kind: "episode",
  title: "Ende",
  thumbnail: "https://img.example/1.jpg",
  duration: 2_520.5,
  sport: "football",
  series: "Cup 2024/25",
  teams: ["A", "B"],
  show: "A show",
  season: 0,
  episode: 1_000_000,
  credits_at: 2_400.25,
  released_at: -860_284_800_000,
};

async function store(...contents: ListedContent[]): Promise<Record<string, string>> {
  return Object.fromEntries(await storeContents(db, contents));
}

async function kept(): Promise<Record<string, number>> {
  const rows = await db.execute(sql`SELECT content_id, rev FROM contents ORDER BY content_id`);
  return Object.fromEntries(rows.map(({ content_id, rev }) => [content_id, rev]));
}

/** What waits to be carried: `content rev after_user viewers`. */
async function queued(): Promise<string[]> {
  const rows = await db.execute(sql`SELECT * FROM content_changes ORDER BY content_id`);
  return rows.map((row) => `${row.content_id} ${row.rev} '${row.after_user}' ${row.viewers}`);
}

describe("storing contents", () => {
  test("keeps every fact, and forgets those that are left out the next time", async () => {
    await store(full);
    expect(await loadContent(db, full.content_id)).toEqual({ content: full, viewers: 0 });
    const bare = content("full");
    expect(await store(bare)).toEqual({ full: "changed" });
    expect((await loadContent(db, full.content_id))?.content).toEqual(bare);
  });

  test("says what became of each, and only a change has a new version", async () => {
    expect(await store(content("b"), content("a"))).toEqual({ a: "created", b: "created" });
    const next = [content("a"), content("b", { title: "B" }), content("c")];
    expect(await store(...next)).toEqual({ a: "unchanged", b: "changed", c: "created" });
    expect(await kept()).toEqual({ a: 1, b: 2, c: 1 });
    expect(await store(...next)).toEqual({ a: "unchanged", b: "unchanged", c: "unchanged" });
    expect(await store()).toEqual({});
    expect(await kept()).toEqual({ a: 1, b: 2, c: 1 });
  });

  test.each(Object.keys(full).filter((name) => name !== "content_id"))(
    "a change of %s alone is a change",
    async (name) => {
      await store(full);
      const bare = { ...full, [name]: name === "teams" ? [] : null };
      expect(await store(bare)).toEqual({ full: "changed" });
      expect(await store(full)).toEqual({ full: "changed" });
      expect(await store(full)).toEqual({ full: "unchanged" });
      expect(await kept()).toEqual({ full: 3 });
    },
  );

  test("the order of teams counts, and so does case", async () => {
    await store(full);
    expect(await store({ ...full, teams: ["B", "A"] })).toEqual({ full: "changed" });
    expect(await store({ ...full, teams: ["b", "a"] })).toEqual({ full: "changed" });
  });

  test("of several with one id the last counts, once", async () => {
    await store(content("a", { title: "0" }));
    expect(await store(content("a", { title: "1" }), content("b"), content("a", { title: "2" }))).toEqual({
      a: "changed",
      b: "created",
    });
    expect((await loadContent(db, idOf("a")))?.content.title).toBe("2");
    expect(await kept()).toEqual({ a: 2, b: 1 });
  });

  test.each(["NULL", "null", '"', "\\", "{a,b}", "'; --", "\n\t", "👩‍👩‍👧 é ｅ", "$1", "\\u0000", "false"])(
    "text is only text: %j",
    async (text) => {
      const odd = content("odd", { title: text, series: text, teams: [text, `${text}2`], thumbnail: text });
      await store(odd);
      expect((await loadContent(db, odd.content_id))?.content).toEqual(odd);
    },
  );

  test("1,000 of the longest contents are one statement", async () => {
    const long = "\u{1F600}".repeat(128);
    const teams = Array.from({ length: 50 }, (_, n) => `${n}`.padStart(128, "t"));
    const many = Array.from({ length: 1_000 }, (_, n) =>
      content(`${n}`.padStart(128, "c"), { title: "t".repeat(500), sport: long, series: long, teams }),
    );
    expect(new Set(Object.values(await store(...many)))).toEqual(new Set(["created"]));
    expect(await loadContent(db, idOf("999".padStart(128, "c")))).toMatchObject({ content: { teams } });
  });

  test("batches that meet in opposite orders never deadlock, and every change has its version", async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `${n % 2 ? "C" : "c"}${n}`);
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 5; round++) {
        const batch = ids.map((id) => content(id, { title: `${writer}.${round}` }));
        await store(...(writer % 2 ? batch.reverse() : batch));
      }
    });
    await Promise.all(writers);
    expect(await kept()).toEqual(Object.fromEntries(ids.map((id) => [id, 40])));
    expect(await queued()).toEqual(ids.toSorted().map((id) => `${id} 40 '' 0`));
  });
});

describe("what has changed waits to be carried", () => {
  test("the created too, the unchanged not", async () => {
    await store(content("a"), content("b"));
    expect(await queued()).toEqual(["a 1 '' 0", "b 1 '' 0"]);
    await db.execute(sql`DELETE FROM content_changes`);
    await store(content("a"), content("b", { title: "B" }));
    expect(await queued()).toEqual(["b 2 '' 0"]);
  });

  test("a change on its way starts anew from the first viewer", async () => {
    await store(content("a"));
    await db.execute(sql`UPDATE content_changes SET after_user = 'mallory', viewers = 7`);
    expect(await loadContent(db, idOf("a"))).toMatchObject({ viewers: 7 });
    await store(content("a", { title: "A" }));
    expect(await queued()).toEqual(["a 2 '' 0"]);
    await db.execute(sql`DELETE FROM content_changes`);
    expect(await loadContent(db, idOf("a"))).toMatchObject({ viewers: null });
  });

  test("or it is not stored either", async () => {
    await db.execute(sql`ALTER TABLE content_changes ADD CONSTRAINT no_b CHECK (content_id <> 'b')`);
    await expect(store(content("a"), content("b"))).rejects.toThrow();
    await db.execute(sql`ALTER TABLE content_changes DROP CONSTRAINT no_b`);
    expect(await kept()).toEqual({});
  });
});

describe("a content that is taken out", () => {
  test("is not there any more, but for its version and what has to be carried", async () => {
    await store(full);
    await db.execute(sql`DELETE FROM content_changes`);
    expect(await removeContent(db, full.content_id)).toBe(true);
    expect(await loadContent(db, full.content_id)).toBeNull();
    expect(await queued()).toEqual(["full 2 '' 0"]);
    const [row] = await db.execute(sql`SELECT * FROM contents`);
    const { content_id: _, ...facts } = content("full");
    expect(row).toMatchObject({ ...facts, removed: true, rev: 2 });

    expect(await removeContent(db, full.content_id)).toBe(false);
    expect(await removeContent(db, idOf("never"))).toBe(false);
    expect(await kept()).toEqual({ full: 2 });
  });

  test("is created when it comes back, with the next version, also with nothing known of it", async () => {
    await store(content("bare"), full);
    await removeContent(db, idOf("bare"));
    await removeContent(db, full.content_id);
    expect(await store(content("bare"), full)).toEqual({ bare: "created", full: "created" });
    expect(await kept()).toEqual({ bare: 3, full: 3 });
    expect(await loadContent(db, full.content_id)).toEqual({ content: full, viewers: 0 });
  });
});
