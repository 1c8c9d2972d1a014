import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { testClock } from "./clock.ts";
import { createTestDatabase } from "./postgres.ts";
import { until } from "./until.ts";

describe("a test database", () => {
  test("is migrated, belongs to nobody else, and can be cloned by many at once", async () => {
    const databases = await Promise.all(Array.from({ length: 8 }, () => createTestDatabase()));
    expect(new Set(databases.map(({ url }) => url)).size).toBe(8);

    const clients = databases.map(({ url }) => postgres(url, { max: 1, onnotice: () => {} }));
    for (const sql of clients) {
      expect(await sql`SELECT 1 FROM pg_tables WHERE tablename = 'listitems'`).toHaveLength(1);
    }
    // Dropped under the clients' feet: a test that forgets to close one must not block the end.
    await Promise.all(databases.map((database) => database.drop()));
    await Promise.all(clients.map((sql) => sql.end({ timeout: 0 })));
  });
});

describe("until", () => {
  test("asks until the answer is there, through errors", async () => {
    let asked = 0;
    const fact = () => {
      asked++;
      if (asked === 1) throw new Error("still starting");
      return asked === 3 && "ready";
    };
    expect(await until(fact)).toBe("ready");
  });

  test("says what it waited for and what it saw last", async () => {
    await expect(until(() => 0, { timeout: 20, what: "a row" })).rejects.toThrow(/a row\nlast seen: 0/);
    const failing = () => Promise.reject(new Error("refused"));
    await expect(until(failing, { timeout: 20 })).rejects.toThrow(/last error: .*refused/);
  });
});

test("the test clock moves only when told to", () => {
  const clock = testClock(1_000);
  expect(clock.now()).toBe(1_000);
  clock.advance(500);
  expect(clock.now()).toBe(1_500);
});
