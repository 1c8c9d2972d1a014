import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { column } from "../../db/postgres/batch.ts";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { createTestDatabase } from "../support/postgres.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 1 }));
});
afterAll(async () => {
  await close();
  await database.drop();
});

async function roundTrip(
  values: (string | number | null)[],
  type: "text" | "bigint" | "float8",
): Promise<unknown[]> {
  const rows = await db.execute(sql`SELECT value FROM unnest(${column(values, type)}) AS u (value)`);
  return (rows as unknown as { value: unknown }[]).map(({ value }) => value);
}

test("text comes back as it went, whatever is in it", async () => {
  const hostile = [
    null,
    "null",
    "NULL",
    "",
    " ",
    '"',
    "\\",
    '\\"',
    "a,b",
    "{a}",
    "{}",
    "'",
    "\n\t",
    "ü😀",
    "$1",
    "--",
  ];
  expect(await roundTrip(hostile, "text")).toEqual(hostile);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")))),
      async (values) => {
        expect(await roundTrip(values, "text")).toEqual(values);
      },
    ),
    { numRuns: 200 },
  );
});

test("numbers come back to the last bit", async () => {
  const whole = [0, 1, Number.MAX_SAFE_INTEGER, 1_795_201_922_225, null];
  expect(await roundTrip(whole, "bigint")).toEqual(whole);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 })),
      async (values) => {
        expect(await roundTrip(values, "float8")).toEqual(values.map(Math.abs));
      },
    ),
    { numRuns: 200 },
  );
});

test("an empty column is an empty column", async () => {
  expect(await roundTrip([], "text")).toEqual([]);
});
