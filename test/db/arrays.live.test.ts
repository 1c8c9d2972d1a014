import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { column } from "../../db/postgres/batch.ts";
import { connect } from "../../db/postgres/connect.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let pool: ReturnType<typeof connect>;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = connect(database.url, { max: 1 });
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

const read = async (query: ReturnType<typeof sql>) => Array.from(await pool.db.execute(query))[0];

test("arrays are read as they were written, whatever is in them", async () => {
  const text = fc.string({ unit: "binary" }).map((its) => its.replaceAll("\0", "").toWellFormed());
  const items = fc.array(fc.oneof(text, fc.constantFrom(null, "NULL", "", "{", ",", '"', "\\", " a ", "\n")));
  await fc.assert(
    fc.asyncProperty(items, async (its) => {
      expect(await read(sql`SELECT ${column(its, "text")} AS read`)).toEqual({ read: its });
    }),
    { numRuns: 50 },
  );
});

test("each type of array is what a client expects", async () => {
  expect(
    await read(sql`SELECT ARRAY[1, NULL, -2]::bigint[] AS a, ARRAY[1]::int[] AS b, ARRAY[2]::smallint[] AS c,
      ARRAY[true, false] AS d, ARRAY[1.5, 1e300]::float8[] AS e, '{}'::text[] AS f, NULL::text[] AS g,
      ARRAY['7d444840-9dc0-11d1-b245-5ffdce74fad2']::uuid[] AS h`),
  ).toEqual({
    ...{ a: [1, null, -2], b: [1], c: [2], d: [true, false], e: [1.5, 1e300], f: [], g: null },
    h: ["7d444840-9dc0-11d1-b245-5ffdce74fad2"],
  });
});
