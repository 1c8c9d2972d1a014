import { is, type SQL, StringChunk } from "drizzle-orm";
import type { Database } from "../../db/postgres/connect.ts";
import { spanned } from "./ambient.ts";

const POSTGRES = { "db.system.name": "postgresql" };

/** The same database, each statement and each transaction a span of what is going on. */
export function withSpans(db: Database): Database {
  return Object.assign(Object.create(db) as Database, {
    execute: asked(db),
    transaction: (work: (tx: Transaction) => Promise<unknown>, ...how: []) => {
      const inside = () =>
        db.transaction((tx) => work(Object.assign(Object.create(tx), { execute: asked(tx) })), ...how);
      return spanned("transaction", inside, POSTGRES);
    },
  });
}

function asked(db: Pick<Database, "execute">): Database["execute"] {
  const execute = (query: SQL | string) =>
    spanned(
      () => nameOf(query),
      async () => await db.execute(query as SQL),
      POSTGRES,
    );
  return execute as Database["execute"];
}

/**
 * What a statement does first, and to which table, as `INSERT listitems`. It is read in the text that stands in our
 * source: values are parameters and are not looked at.
 */
function nameOf(query: SQL | string): string {
  const text = typeof query === "string" ? query : query.queryChunks.map(textOf).join("");
  const [, verb, table = ""] = STATEMENT.exec(text) ?? [];
  return verb === undefined ? "statement" : `${verb.split(" ")[0]} ${table}`.trimEnd();
}

const STATEMENT = /\b(INSERT INTO|UPDATE|DELETE FROM|FROM)\s+([a-z_]+)|\b(SELECT)\b/;

function textOf(chunk: unknown): string {
  return is(chunk, StringChunk) ? chunk.value.join("") : "";
}

type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];
