import { request } from "node:http";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MAX_LINE_BYTES } from "../../db/contract/bulk.ts";
import { bodyOf, type LineSaid, linesIn } from "../support/ndjson.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "../support/world.ts";

/** The catalogue at ingest itself, past the edge. */

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => world.db.execute(sql`TRUNCATE content_changes, contents`));
afterAll(() => world.stop());

const json = { "content-type": "application/json" };
const ndjson = { "content-type": "application/x-ndjson" };
type Asking = Parameters<World["ask"]>[1];

function ask(method: string, path: string, its: Asking = {}): Promise<Response> {
  return world.ask(path, { at: world.ingestUrl, as: "cms", token: { roles: ["service"] }, method, ...its });
}
const put = (id: string, facts: unknown, its: Asking = {}) =>
  ask("PUT", `/contents/${id}`, { headers: json, body: JSON.stringify(facts), ...its });
const postArray = (body: unknown, its: Asking = {}) =>
  ask("POST", "/contents", { headers: json, body: JSON.stringify(body), ...its });
const postLines = (body: NonNullable<RequestInit["body"]>, its: Asking = {}) =>
  ask("POST", "/contents", { headers: ndjson, body, duplex: "half", ...its });

async function said(answer: Response): Promise<LineSaid[]> {
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  // Who compresses on the way would hold results back.
  expect(answer.headers.get("cache-control")).toBe("no-store, no-transform");
  const results: LineSaid[] = [];
  for await (const result of linesIn(answer)) results.push(result);
  return results;
}

async function expectProblem(answer: Response, status: number, code: string) {
  const text = await answer.text();
  expect([answer.status, text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  return JSON.parse(text);
}

async function titles(): Promise<Record<string, string | null>> {
  const rows = await world.db.execute(sql`SELECT content_id, title FROM contents ORDER BY content_id`);
  return Object.fromEntries(rows.map(({ content_id, title }) => [content_id, title]));
}

/** While it runs, the catalogue cannot be stored. */
async function whileTheTableIsAway(work: () => Promise<void>): Promise<void> {
  await world.db.execute(sql`ALTER TABLE contents RENAME TO lost`);
  try {
    await work();
  } finally {
    await world.db.execute(sql`ALTER TABLE lost RENAME TO contents`);
  }
}

const ROUTES = [
  ["PUT", "/contents/c", JSON.stringify({ title: "A title" }), json],
  ["GET", "/contents/c", undefined, {}],
  ["DELETE", "/contents/c", undefined, {}],
  ["POST", "/contents", JSON.stringify([{ content_id: "c" }]), json],
  ["POST", "/contents", '{"content_id":"c"}', ndjson],
] as const;

describe.each(ROUTES)("%s %s", (method, path, body, headers) => {
  const init = body === undefined ? { headers } : { body, headers };

  test("is for services and admins", async () => {
    for (const roles of [["user"], ["support"], []]) {
      await expectProblem(await ask(method, path, { ...init, token: { roles } }), 403, "forbidden");
    }
    const anonymous = await fetch(world.ingestUrl + path, { method, ...init });
    await expectProblem(anonymous, 401, "unauthorized");
    expect(await titles()).toEqual({});
    await put("c", { title: "Another title" });
    const answer = await ask(method, path, { ...init, token: { roles: ["user", "admin"] } });
    expect([200, 204]).toContain(answer.status);
    await answer.text();
  });

  test("without Postgres is 503, or says so in its last line", () =>
    whileTheTableIsAway(async () => {
      const answer = await ask(method, path, init);
      if (headers !== ndjson) {
        const retry = answer.headers.get("retry-after");
        const problem = await expectProblem(answer, 503, "unavailable");
        expect([retry, problem.detail]).toEqual(["5", "the catalogue is out of reach"]);
      } else {
        expect(await said(answer)).toEqual([
          expect.objectContaining({ line: 1, status: "failed", code: "unavailable" }),
        ]);
      }
    }));
});

describe("one content", () => {
  const facts = {
    kind: "episode",
    title: "Ende",
    thumbnail: "https://img.example/1.jpg",
    duration: 2_520,
    sport: null,
    series: null,
    teams: [],
    show: "A show",
    season: 1,
    episode: 10,
    credits_at: 2_400,
    released_at: "1942-11-26T00:00:00.000Z",
  };

  test("is created, read, changed, left alone, taken out and created again", async () => {
    const created = await put("c", facts);
    expect([created.status, await created.json()]).toEqual([201, { content_id: "c", ...facts }]);
    const read = await ask("GET", "/contents/c");
    expect(read.headers.get("cache-control")).toBe("private, no-store");
    const changes = { carried: expect.any(Boolean), viewers: expect.toBeOneOf([null, 0]) };
    expect([read.status, await read.json()]).toEqual([200, { content_id: "c", ...facts, changes }]);

    const released_at = "2026-01-31T20:15:00+01:00";
    const changed = await put("c", { title: "Ende", teams: ["B", "A", "B"], released_at });
    const its = { title: "Ende", teams: ["B", "A"], released_at: "2026-01-31T19:15:00.000Z", season: null };
    expect([changed.status, await changed.json()]).toEqual([200, expect.objectContaining(its)]);
    expect((await put("c", its)).status).toBe(200);

    const gone = await ask("DELETE", "/contents/c");
    expect([gone.status, await gone.text()]).toEqual([204, ""]);
    await expectProblem(await ask("DELETE", "/contents/c"), 404, "not_found");
    await expectProblem(await ask("GET", "/contents/c"), 404, "not_found");
    expect((await put("c", {})).status).toBe(201);
    expect((await ask("GET", "/contents/c")).status).toBe(200);
  });

  test("says whether everybody has its last change", async () => {
    const changes = async () => {
      const read = await ask("GET", "/contents/c");
      return ((await read.json()) as { changes: { carried: boolean } }).changes;
    };
    await world.db.transaction(async (tx) => {
      // Whoever carries changes has to look here.
      await tx.execute(sql`LOCK TABLE listitems`);
      await put("c", facts);
      expect(await changes()).toEqual({ carried: false, viewers: 0 });
    });
    await until(async () => (await changes()).carried);
    expect(await changes()).toEqual({ carried: true, viewers: null });
  });

  test.each([
    ["a+b", "content_id"],
    ["x".repeat(129), "content_id"],
    ["%7Bc%7D", "content_id"],
  ])("called %s is none", async (id, path) => {
    for (const answer of [
      await put(id, {}),
      await ask("GET", `/contents/${id}`),
      await ask("DELETE", `/contents/${id}`),
    ]) {
      expect((await expectProblem(answer, 422, "invalid_input")).errors[0].path).toBe(path);
    }
  });

  test.each([
    ["[]", 422, ""],
    ["null", 422, ""],
    ['{"titel":"x"}', 422, "titel"],
    ['{"content_id":"c"}', 422, "content_id"],
    ['{"content_id":"other"}', 422, "content_id"],
    ['{"title":""}', 422, "title"],
    ['{"title":"a\\u0000b"}', 422, "title"],
    ['{"title":"\\ud800"}', 422, "title"],
    ['{"kind":"film"}', 422, "kind"],
    ['{"duration":-1}', 422, "duration"],
    ['{"season":1.5}', 422, "season"],
    ['{"teams":["a",""]}', 422, "teams.1"],
    ['{"teams":null}', 422, "teams"],
    ['{"released_at":"yesterday"}', 422, "released_at"],
    ['{"released_at":1e15}', 422, "released_at"],
    ["{", 400, undefined],
  ])("of %s is refused, by name", async (body, status, path) => {
    const answer = await put("c", null, { body });
    const problem = await expectProblem(answer, status, status === 400 ? "malformed_json" : "invalid_input");
    expect(problem.errors?.[0].path).toBe(path);
    expect(await titles()).toEqual({});
  });

  test("is JSON, and a megabyte at most", async () => {
    await expectProblem(await put("c", {}, { headers: ndjson }), 415, "unsupported_media_type");
    await expectProblem(await put("c", { title: "x".repeat(1_100_000) }), 413, "body_too_large");
  });
});

describe("an array of contents", () => {
  test("is answered item by item, and a bad one never sinks the others", async () => {
    await put("old", { title: "Old" });
    const answer = await postArray([
      { content_id: "new" },
      { content_id: "old", title: "" },
      { title: "nameless" },
      { content_id: "a b" },
      "c",
      { content_id: "old", title: "Old" },
      { content_id: "b", title: "1" },
      { content_id: "b", title: "2", teams: [1] },
    ]);
    expect(answer.status).toBe(200);
    const { results } = (await answer.json()) as { results: LineSaid[] };
    expect(results.map(({ content_id, status, errors }) => [content_id, status, errors?.[0]?.path])).toEqual([
      ["new", "created", undefined],
      ["old", "rejected", "1.title"],
      [null, "rejected", "2.content_id"],
      [null, "rejected", "3.content_id"],
      [null, "rejected", "4"],
      ["old", "unchanged", undefined],
      ["b", "created", undefined],
      ["b", "rejected", "7.teams.0"],
    ]);
    expect(await titles()).toEqual({ b: "1", new: null, old: "Old" });
  });

  test("of 1,000 is taken, of none, of more, or something else is not", async () => {
    const many = Array.from({ length: 1_001 }, (_, n) => ({ content_id: `c${n}` }));
    for (const bad of [[], many, {}, null, "c", { content_id: "c" }]) {
      await expectProblem(await postArray(bad), 422, "invalid_input");
    }
    await expectProblem(await postArray(null, { body: "[{]" }), 400, "malformed_json");
    await expectProblem(
      await postArray([{ content_id: "c", title: "x".repeat(1_100_000) }]),
      413,
      "body_too_large",
    );
    expect(await titles()).toEqual({});
    const { results } = (await (await postArray(many.slice(1))).json()) as { results: LineSaid[] };
    expect(results.map(({ content_id }) => content_id)).toEqual(
      many.slice(1).map(({ content_id }) => content_id),
    );
  });

  test.each(["text/plain", "application/x-ndjsonl", ""])("as %j is 415", async (type) => {
    const problem = await expectProblem(
      await postArray([], { headers: { "content-type": type } }),
      415,
      "unsupported_media_type",
    );
    expect(problem.detail).toBe("send Content-Type: application/json or application/x-ndjson");
  });
});

describe("a stream of lines", () => {
  test("is answered line by line, in order", async () => {
    await put("old", { title: "Old" });
    const body = [
      '{"content_id":"new"}',
      '{"content_id":"old","title":"Old"}\r',
      "",
      " \t\r",
      '{"content_id":"bad","title":7,"kind":"film"}',
      "not json",
      '{"title":"nameless"}',
      '  {"content_id":"old","title":"Newer"} ',
      "null",
      '{"content_id":"last","title":"no line end"}',
    ].join("\n");
    const results = await said(await postLines(body));
    expect(
      results.map(({ line, content_id, status, errors }) => [
        line,
        content_id,
        status,
        errors?.map(({ path }) => path),
      ]),
    ).toEqual([
      [1, "new", "created", undefined],
      [2, "old", "changed", undefined],
      [5, "bad", "rejected", ["kind", "title"]],
      [6, null, "rejected", [""]],
      [7, null, "rejected", ["content_id"]],
      [8, "old", "changed", undefined],
      [9, null, "rejected", [""]],
      [10, "last", "created", undefined],
    ]);
    expect(await titles()).toEqual({ last: "no line end", new: null, old: "Newer" });
  });

  test("with what is not UTF-8 rejects that line alone", async () => {
    const lines = [
      Buffer.from('{"content_id":"a","title":"\xff"}\n', "latin1"),
      '{"content_id":"b","title":"é"}\n',
    ];
    const results = await said(await postLines(Buffer.concat(lines.map((line) => Buffer.from(line)))));
    expect(results.map(({ line, status }) => [line, status])).toEqual([
      [1, "rejected"],
      [2, "created"],
    ]);
    expect(await titles()).toEqual({ b: "é" });
  });

  test("may have lines of 64 KB and no longer ones, which are skipped", async () => {
    const padded = (content_id: string, bytes: number) => JSON.stringify({ content_id }).padEnd(bytes);
    function* lines() {
      yield `${padded("at-the-limit", MAX_LINE_BYTES)}\r\n`;
      yield `${padded("too-long", MAX_LINE_BYTES + 1)}\n`;
      for (let n = 0; n < 500; n++) yield "x".repeat(100_000);
      yield '\n{"content_id":"after"}\n';
      yield padded("too-long-at-the-end", MAX_LINE_BYTES + 1);
    }
    const results = await said(await postLines(bodyOf(lines())));
    expect(results.map(({ line, status, errors }) => [line, status, errors?.[0]?.message])).toEqual([
      [1, "created", undefined],
      [2, "rejected", "a line has 65536 bytes at most"],
      [3, "rejected", "a line has 65536 bytes at most"],
      [4, "created", undefined],
      [5, "rejected", "a line has 65536 bytes at most"],
    ]);
    expect(Object.keys(await titles())).toEqual(["after", "at-the-limit"]);
  });

  test.each(["", "\n\n", "\r\n"])("of nothing (%j) is answered by nothing", async (body) => {
    expect(await said(await postLines(body))).toEqual([]);
  });

  test("gives the result of a line before the next one is sent", async () => {
    const answered = Array.from({ length: 21 }, () => Promise.withResolvers<void>());
    async function* oneByOne() {
      for (let n = 1; n <= 20; n++) {
        yield `{"content_id":"c${n}"}\n`;
        await answered[n]?.promise;
      }
    }
    const answer = await postLines(bodyOf(oneByOne()));
    const seen: number[] = [];
    for await (const { line } of linesIn(answer)) {
      seen.push(line);
      answered[line]?.resolve();
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  test("ends with the first line that is not stored, and what came before is stored", async () => {
    const failing = Promise.withResolvers<void>();
    async function* lines() {
      for (let n = 1; n <= 600; n++) yield `{"content_id":"c${n}","title":"t"}\n`;
      await failing.promise;
      yield 'bad\n{"content_id":"c602"}\n';
      for (let n = 603; n <= 2_000; n++) yield `{"content_id":"c${n}","title":"t"}\n`;
    }
    const results = linesIn(await postLines(bodyOf(lines())));
    for (let n = 1; n <= 600; n++) {
      expect((await results.next()).value).toEqual({ line: n, content_id: `c${n}`, status: "created" });
    }
    await whileTheTableIsAway(async () => {
      failing.resolve();
      expect((await results.next()).value).toMatchObject({ line: 601, status: "rejected" });
      const failed = { line: 602, status: "failed", code: "unavailable", request_id: expect.any(String) };
      expect((await results.next()).value).toMatchObject(failed);
      expect((await results.next()).done).toBe(true);
    });
    expect(Object.keys(await titles())).toHaveLength(600);
  });

  test("of a client that hangs up is not worked on any more, and no line is taken for whole", async () => {
    const token = await tokenFor("a secret that only tests know", "cms", { roles: ["service"] });
    const at = await world.startIngest();
    const client = request(`${at}/contents`, {
      method: "POST",
      headers: { ...ndjson, authorization: `Bearer ${token}` },
    });
    client.on("error", () => {});
    client.write('{"content_id":"whole"}\n{"content_id":"cut"}');
    await until(async () => "whole" in (await titles()));
    client.destroy();
    await world.services.at(-1)?.stop();
    expect(Object.keys(await titles())).toEqual(["whole"]);
  });

  test("ends when ingest stops, with the line that comes next", async () => {
    const at = await world.startIngest();
    const service = world.services.at(-1);
    const over = Promise.withResolvers<void>();
    async function* lines() {
      yield '{"content_id":"before"}\n\n';
      await over.promise;
    }
    const answer = await postLines(bodyOf(lines()), { at });
    const results: LineSaid[] = [];
    let stopped: Promise<void> | undefined;
    for await (const result of linesIn(answer)) {
      results.push(result);
      stopped ??= service?.stop();
    }
    over.resolve();
    await stopped;
    expect(results).toEqual([
      { line: 1, content_id: "before", status: "created" },
      expect.objectContaining({ line: 2, status: "failed", code: "unavailable" }),
    ]);
  });
});
