import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Database } from "../../db/postgres/connect.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

const DATA = fileURLToPath(new URL("../data/football", import.meta.url));

let database: TestDatabase;
let db: Database;
let close: () => Promise<void>;
let folder: string;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db, close } = connect(database.url, { max: 2 }));
  folder = mkdtempSync(join(tmpdir(), "playhead-import-"));
  cpSync(DATA, folder, { recursive: true });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await close();
  await database.drop();
});

/** The command as its users run it. */
function imported(...args: string[]): Promise<Ended> {
  return importedInto(database.url, ...args);
}
type Ended = { code: number; stdout: string; stderr: string };

function importedInto(url: string, ...args: string[]): Promise<Ended> {
  const env = { ...process.env, DATABASE_URL: url };
  return new Promise((resolve) => {
    execFile(process.execPath, ["commands/import.ts", ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

test("a season, then the whole tree, then the tree again", async () => {
  const season = await imported("football", join(folder, "2023-24"));
  expect(season).toMatchObject({ code: 0, stdout: "380 contents: 380 created, 0 changed, 0 unchanged\n" });
  expect(season.stderr).toContain("import: 380 of 380");
  expect(season.stderr).toContain("Kickoff times without a zone are taken as UTC.");

  const tree = await imported("football", folder);
  expect(tree).toMatchObject({
    code: 0,
    stdout: "1,635 contents: 1,255 created, 0 changed, 380 unchanged\n",
  });
  await db.execute(sql`UPDATE contents SET title = 'x' WHERE title LIKE 'Arsenal FC - Everton FC'`);
  expect((await imported("football", folder)).stdout).toBe(
    "1,635 contents: 0 created, 2 changed, 1,633 unchanged\n",
  );

  const [match] = await db.execute(sql`
    SELECT kind, title, sport, series, teams, duration, released_at, rev FROM contents
    WHERE content_id = 'football:en.1:2024-25:arsenal-fc-everton-fc:2024-12-14'`);
  expect(match).toEqual({
    ...{ kind: "match", title: "Arsenal FC - Everton FC", sport: "football", duration: 7_200 },
    ...{ series: "English Premier League 2024/25", teams: ["Arsenal FC", "Everton FC"] },
    ...{ released_at: Date.UTC(2024, 11, 14, 15), rev: 2 },
  });
  const [queued] = await db.execute(sql`SELECT count(*) AS changes FROM content_changes`);
  expect(queued).toEqual({ changes: 1_635 });
}, 60_000);

test("what is no fixtures in a folder is named and skipped", async () => {
  mkdirSync(join(folder, "other"));
  writeFileSync(join(folder, "other", "en.1.clubs.json"), '{"name":"Clubs","clubs":[]}');
  writeFileSync(join(folder, "other", "broken.json"), "{");
  const matches = [{ date: "2024-12-14", team1: "A", team2: "B" }];
  writeFileSync(join(folder, "other", "cup.json"), JSON.stringify({ name: "Cup", matches }));
  const { code, stdout, stderr } = await imported("football", join(folder, "other"));
  expect([code, stdout]).toEqual([0, "1 contents: 1 created, 0 changed, 0 unchanged\n"]);
  for (const name of ["broken.json", "en.1.clubs.json"]) {
    expect(stderr).toContain(`skipped ${join(folder, "other", name)}: it has no fixtures`);
  }
  expect(await imported("football", join(folder, "other", "cup.json"))).toMatchObject({
    stdout: "1 contents: 0 created, 0 changed, 1 unchanged\n",
  });
});

test("what cannot be imported is said by name, and nothing is stored", async () => {
  const [before] = await db.execute(sql`SELECT count(*) AS contents FROM contents`);
  const bad = join(folder, "bad.json");
  writeFileSync(bad, '{"name":"Cup","matches":[{"date":"soon","team1":"A","team2":"B"}]}');
  for (const [path, said] of [
    [join(folder, "LICENSE.md"), `${join(folder, "LICENSE.md")} has no fixtures as football.json has them`],
    [join(folder, "nowhere"), "there is no such file or folder"],
    [bad, `${bad}: matches.0.date: `],
  ] as const) {
    const { code, stdout, stderr } = await imported("football", path);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(said);
  }
  expect([...(await db.execute(sql`SELECT count(*) AS contents FROM contents`))]).toEqual([before]);
});

test("a database that is not migrated, or away, is an error in words", async () => {
  await db.execute(sql`ALTER TABLE contents RENAME TO lost`);
  const unmigrated = await imported("football", join(folder, "2023-24"));
  await db.execute(sql`ALTER TABLE lost RENAME TO contents`);
  expect(unmigrated.code).toBe(1);
  expect(unmigrated.stderr).toMatch(/This database has no catalogue yet: npm run migrate\n$/);
  const away = await importedInto("postgres://127.0.0.1:1/away", "football", join(folder, "2023-24"));
  expect(away.code).toBe(1);
  expect(away.stderr).toMatch(/The contents cannot be stored: .*ECONNREFUSED 127.0.0.1:1\n$/);
  expect(unmigrated.stderr + away.stderr).not.toContain("INSERT");
});

test("says how it is used", async () => {
  const wrong = [[], ["football"], ["rugby", folder], ["football", folder, folder]];
  for (const { code, stderr } of await Promise.all(wrong.map((args) => imported(...args)))) {
    expect([code, stderr]).toEqual([1, expect.stringContaining("usage: npm run import -- football FOLDER")]);
  }
});
