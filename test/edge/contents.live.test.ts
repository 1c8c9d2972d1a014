import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bodyOf, type LineSaid, linesIn } from "../support/ndjson.ts";
import { createWorld, type World } from "../support/world.ts";

/** The catalogue through the edge, as a content management system asks for it. */

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => world.db.execute(sql`TRUNCATE content_changes, contents`));
afterAll(() => world.stop());

const json = { "content-type": "application/json" };
const ndjson = { "content-type": "application/x-ndjson" };

function ask(method: string, path: string, its: Parameters<World["ask"]>[1] = {}): Promise<Response> {
  return world.ask(path, { as: "cms", token: { roles: ["service"] }, method, ...its });
}
const postLines = (body: NonNullable<RequestInit["body"]>) =>
  ask("POST", "/contents", { headers: ndjson, body, duplex: "half" });

async function count(): Promise<number> {
  const [row] = await world.db.execute(sql`SELECT count(*) AS contents FROM contents`);
  return row?.contents as number;
}

test("a content is created, read, changed and taken out", async () => {
  const facts = { kind: "match", title: "A - B", sport: "football", teams: ["A", "B"], duration: 7_200 };
  const put = (its: object) => ask("PUT", "/contents/m", { headers: json, body: JSON.stringify(its) });
  const created = await put(facts);
  expect([created.status, await created.json()]).toEqual([201, expect.objectContaining(facts)]);
  expect((await put({ ...facts, title: "B - A" })).status).toBe(200);
  const read = await ask("GET", "/contents/m");
  expect([read.status, await read.json()]).toMatchObject([200, { content_id: "m", title: "B - A" }]);
  expect(read.headers.get("vary")).toContain("Authorization");
  expect((await ask("DELETE", "/contents/m")).status).toBe(204);
  expect((await ask("GET", "/contents/m")).status).toBe(404);
  const wrong = await put({ title: "" });
  expect([wrong.status, await wrong.json()]).toMatchObject([422, { errors: [{ path: "title" }] }]);
});

test("an array is stored", async () => {
  const body = JSON.stringify([{ content_id: "a" }, { content_id: "a b" }]);
  const answer = await ask("POST", "/contents", { headers: json, body });
  expect([answer.status, await answer.json()]).toMatchObject([
    200,
    {
      results: [
        { content_id: "a", status: "created" },
        { content_id: null, status: "rejected" },
      ],
    },
  ]);
});

describe("a stream of lines", () => {
  test("larger than everything on its way is never held: results come while it is made", async () => {
    const total = 200_000;
    const ahead = 100_000;
    const answered = new Map<number, PromiseWithResolvers<void>>();
    const resultOf = (line: number) => {
      const its = answered.get(line) ?? Promise.withResolvers<void>();
      answered.set(line, its);
      return its;
    };
    async function* lines() {
      for (let from = 1; from <= total; from += 1_000) {
        // The next thousand is not even made before the result of a line far behind has come.
        if (from > ahead) await resultOf(from - ahead).promise;
        let text = "";
        for (let n = from; n < from + 1_000; n++) text += `{"content_id":"c${n}","title":"Title of ${n}"}\n`;
        yield text;
      }
    }
    let line = 0;
    for await (const said of linesIn(await postLines(bodyOf(lines())))) {
      line++;
      if (said.line !== line || said.status !== "created") throw new Error(JSON.stringify(said));
      if (line % 1_000 === 1) resultOf(line).resolve();
    }
    expect([line, await count()]).toEqual([total, total]);
  }, 120_000);

  test("gives the result of a line before the next one is sent", async () => {
    let answered = Promise.withResolvers<void>();
    async function* oneByOne() {
      for (let n = 1; n <= 20; n++) {
        yield `{"content_id":"c${n}"}\n`;
        await answered.promise;
        answered = Promise.withResolvers<void>();
      }
    }
    const seen: LineSaid[] = [];
    for await (const said of linesIn(await postLines(bodyOf(oneByOne())))) {
      seen.push(said);
      answered.resolve();
    }
    expect(seen.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  test("that fails midway ends with the line, however much is still to come", async () => {
    async function* endless() {
      for (let n = 1; ; n++) yield `{"content_id":"c${n}","title":"${"t".repeat(500)}"}\n`;
    }
    await world.db.execute(sql`ALTER TABLE contents ADD CONSTRAINT no_c1000 CHECK (content_id <> 'c1000')`);
    const seen: LineSaid[] = [];
    for await (const said of linesIn(await postLines(bodyOf(endless())))) seen.push(said);
    await world.db.execute(sql`ALTER TABLE contents DROP CONSTRAINT no_c1000`);
    // Where a batch ends is a matter of time; the thousandth line is in one that is not stored.
    expect(seen.length).toBeGreaterThan(500);
    expect(seen.length).toBeLessThanOrEqual(1_000);
    expect(seen.at(-1)).toMatchObject({ line: seen.length, status: "failed", code: "internal" });
    expect(await count()).toBe(seen.length - 1);
  });
});
