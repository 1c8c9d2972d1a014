import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { ListedContent } from "../db/contract/contents.ts";
import { connect } from "../db/postgres/connect.ts";
import { sqlState } from "../db/postgres/outcome.ts";
import { storeContents } from "../ingest/library/store-contents.ts";
import { parseFixtures } from "./football.ts";
import { messageOf, run } from "./local/run.ts";
import { withDatabase } from "./local/with-database.ts";
import { progressBar } from "./progress.ts";

const USAGE =
  "usage: npm run import -- football FOLDER\n" +
  "FOLDER has fixtures as football.json has them, SEASON/LEAGUE.json; it may be one season or one file, too.\n" +
  "Kickoff times have no zone there: they are taken as UTC.";
const AT_ONCE = 500;

/** `npm run import -- football FOLDER`: fixtures become contents of the catalogue. May be repeated. */
await run(async () => {
  const [kind, folder, ...more] = process.argv.slice(2);
  if (kind !== "football" || folder === undefined || more.length > 0) throw new Error(USAGE);
  const contents = await fixturesIn(resolve(folder));
  const { created, changed, unchanged } = await withDatabase(process.env, (url) => store(url, contents));
  const said = [`${count(created)} created`, `${count(changed)} changed`, `${count(unchanged)} unchanged`];
  console.log(`${count(created + changed + unchanged)} contents: ${said.join(", ")}`);
  return 0;
});

/** Of one file, or of every JSON file below a folder that has fixtures; the others are named. */
async function fixturesIn(path: string): Promise<ListedContent[]> {
  const place = await stat(path).catch(() => {
    throw new Error(`${path}: there is no such file or folder`);
  });
  const files = place.isDirectory() ? await jsonFilesBelow(path) : [path];
  const found: ListedContent[] = [];
  for (const file of files) {
    const fixtures = await fixturesOf(file);
    if (!fixtures && file !== path) console.error(`skipped ${file}: it has no fixtures`);
    found.push(...(fixtures ?? []));
  }
  if (found.length === 0) throw new Error(`${path} has no fixtures as football.json has them`);
  console.error("Kickoff times without a zone are taken as UTC.");
  return found;
}

async function jsonFilesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(folder, name));
}

async function fixturesOf(file: string): Promise<ListedContent[] | undefined> {
  const place = { season: basename(dirname(file)), league: basename(file, ".json") };
  try {
    return parseFixtures(await readFile(file, "utf8"), place)?.map(({ content }) => content);
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause });
  }
}

async function store(url: string, contents: readonly ListedContent[]): Promise<Tally> {
  const tally = { created: 0, changed: 0, unchanged: 0 };
  const { db, close } = connect(url, { max: 1 });
  const bar = progressBar("import", contents.length);
  try {
    for (let from = 0; from < contents.length; from += AT_ONCE) {
      const batch = contents.slice(from, from + AT_ONCE);
      for (const outcome of (await storeContents(db, batch)).values()) tally[outcome]++;
      bar.advance(batch.length);
    }
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  } finally {
    bar.end();
    await close();
  }
  return tally;
}

/** In words, without the statement and all that was in it. */
function reasonOf(error: unknown): string {
  if (sqlState(error) === "42P01" || sqlState(error) === "42703")
    return "This database has no catalogue yet: npm run migrate";
  return `The contents cannot be stored: ${messageOf(error instanceof Error && error.cause ? error.cause : error)}`;
}

function count(number: number): string {
  return number.toLocaleString("en");
}

type Tally = { created: number; changed: number; unchanged: number };
