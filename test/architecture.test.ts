import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** Who may import whom. A path is a prefix of a file's; a bare name is a package. The first row that fits a file counts. */
const TABLE: { from: RegExp; may: RegExp }[] = [
  { from: /^db\/contract\//, may: /^(db\/contract\/|db\/resume\.ts|zod$|jose$)/ },
  { from: /^db\/[^/]+\.ts$/, may: /^(db\/contract\/|db\/[^/]+\.ts$|zod$)/ },
  // The limiter is given a client, and knows none.
  { from: /^db\/redis\/rate-limit\.ts$/, may: /^(db\/contract\/|db\/redis\/keys\.ts$|@upstash\/ratelimit$)/ },
  { from: /^db\/redis\//, may: /^(db\/contract\/|db\/[^/]+\.ts$|db\/redis\/)/ },
  {
    from: /^db\/postgres\/(migrate|connect)\.ts$/,
    may: /^(db\/postgres\/|drizzle-orm(\/|$)|postgres$|node:)/,
  },
  { from: /^db\/postgres\//, may: /^(db\/contract\/|db\/[^/]+\.ts$|db\/postgres\/|drizzle-orm(\/|$))/ },
  { from: /^db\/trace\//, may: /^(db\/trace\/|db\/contract\/|db\/environment\.ts$|zod$)/ },
  { from: /^db\/local\//, may: /^(db\/local\/|node:|postgres$)/ },
  { from: /^edge\/openapi\//, may: /^(db\/contract\/|edge\/(openapi\/|[^/]+\.ts$)|hono(\/|$)|zod$)/ },
  {
    from: /^edge\/(serve|node|deno|files|metrics)\.ts$/,
    may: /^(db\/server-bounds\.ts$|edge\/[^/]+\.ts$|@hono\/node-server(\/|$)|hono(\/|$)|prom-client$|node:)/,
  },
  {
    from: /^edge\/(read|write)\//,
    may: /^(db\/(contract|redis)\/|edge\/[^/]+\.ts$|edge\/write\/forward\.ts$)/,
  },
  {
    from: /^edge\//,
    may: /^(db\/(contract|redis|trace)\/|db\/[^/]+\.ts$|edge\/(?!metrics\.ts)|hono(\/|$)|@upstash\/redis(\/|$)|jose$|zod$|node:(fs|path|url))/,
  },
  { from: /^ingest\/accept\//, may: /^(db\/|ingest\/(accept\/|deps\.ts|stream\.ts))/ },
  {
    from: /^ingest\/drain\//,
    may: /^(db\/|ingest\/(drain\/|views\/|deps\.ts|stream\.ts|keep-trying\.ts|observe\/log\.ts)|drizzle-orm$)/,
  },
  {
    from: /^ingest\/library\//,
    may: /^(db\/(contract|postgres)\/|ingest\/(views\/|library\/(?!(get|put|post|delete|read)-|forget\.)|(deps|stream|request-id|within-time)\.ts$|observe\/log\.ts$)|drizzle-orm$|node:timers\/promises$)/,
  },
  {
    from: /^ingest\/views\//,
    may: /^(db\/|ingest\/(views\/|deps\.ts|redis\.ts|keep-trying\.ts|observe\/log\.ts)|drizzle-orm$|ioredis$|node:crypto$)/,
  },
  { from: /^ingest\/redis-rest\//, may: /^(ingest\/redis-rest\/|db\/environment\.ts|ioredis$|zod$|node:)/ },
  {
    from: /^ingest\/stream\.ts$/,
    may: /^(db\/redis\/|ingest\/redis\.ts|ioredis$)/,
  },
  {
    from: /^ingest\/(deps|keep-trying|redis|config|main|http|routes|request-id)\.ts$|^ingest\/observe\//,
    may: /^(?!edge\/|test\/|commands\/)/,
  },
  {
    from: /^ingest\/sessions\//,
    may: /^(db\/(contract|redis)\/|ingest\/(sessions\/(?!(get|put|post|patch|delete)-)|(deps|redis|keep-trying)\.ts$|observe\/(log|session-metrics)\.ts$)|ioredis$|node:timers\/promises$)/,
  },
  {
    from: /^ingest\/bus\//,
    may: /^(db\/(contract|redis|postgres)\/|db\/environment\.ts$|ingest\/(bus\/|(redis|keep-trying)\.ts$|observe\/log\.ts$)|drizzle-orm$|ioredis$|zod$|@platformatic\/kafka$|node:(crypto|fs\/promises)$)/,
  },
  {
    from: /^ingest\/limit\.ts$/,
    may: /^(db\/(contract|redis)\/|ingest\/(deps|observe\/limit-metrics)\.ts$|ioredis$)/,
  },
  {
    from: /^ingest\/privacy\//,
    may: /^(db\/(contract|postgres|redis)\/|ingest\/(privacy\/(?!(get|delete)-)|sessions\/session-store\.ts$|party\/party-traces\.ts$|views\/(evict|load-profile|history-index)\.ts$|library\/within-reach\.ts$|(config|deps|keep-trying|redis|stream)\.ts$|observe\/log\.ts$)|drizzle-orm$|ioredis$|node:crypto$)/,
  },
  // The pure half: what a room makes of messages.
  {
    from: /^ingest\/party\/(room|reduce|step|members|playback|chatter|viewing|peak)\.ts$/,
    may: /^(db\/contract\/|ingest\/party\/(room|reduce|step|members|playback|chatter|room-store)\.ts$)/,
  },
  {
    from: /^ingest\/party\//,
    may: /^(db\/(contract|postgres|redis)\/|ingest\/(party\/(?!(get|post|patch|delete)-)|(deps|redis|keep-trying)\.ts$|observe\/(log|metrics-party)\.ts$)|drizzle-orm$|ioredis$|jose$|socket\.io$|@socket\.io\/redis-streams-adapter$|@hono\/node-server$|node:(http|timers\/promises)$)/,
  },
  { from: /^ingest\/within-time\.ts$/, may: /^$/ },
  { from: /^ingest\/(service|history|parties)\.ts$/, may: /^(?!edge\/|test\/|commands\/)/ },
  { from: /^(commands|bench)\//, may: /./ },
];

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = ["commands", "db", "edge", "ingest"].flatMap(filesBelow);

describe("the import table", () => {
  test("there is source to look at", () => {
    expect(SOURCE.length).toBeGreaterThan(60);
  });

  test("every import is allowed by it", () => {
    const broken = SOURCE.flatMap((file) => {
      const row = TABLE.find(({ from }) => from.test(file));
      if (!row) return [`${file} is in no row`];
      return importsOf(file)
        .filter(({ target }) => !row.may.test(target))
        .map(({ target }) => `${file} -> ${target}`);
    });
    expect(broken).toEqual([]);
  });

  test("edge and ingest never import each other, and nobody imports the tests", () => {
    const broken = SOURCE.flatMap((file) =>
      importsOf(file)
        .filter(
          ({ target }) =>
            (file.startsWith("edge/") && /^(ingest|db\/postgres|commands)\//.test(target)) ||
            (file.startsWith("ingest/") && /^(edge|commands)\//.test(target)) ||
            (/^(db|edge|ingest)\//.test(file) && target.startsWith("test/")),
        )
        .map(({ target }) => `${file} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test("there is no import cycle", () => {
    const graph = new Map(
      SOURCE.map((file) => [
        file,
        importsOf(file)
          .filter(({ types }) => !types)
          .map(({ target }) => target)
          .filter((target) => SOURCE.includes(target)),
      ]),
    );
    expect(cycleIn(graph)).toEqual([]);
  });

  test("no file only passes on what others export", () => {
    const barrels = SOURCE.filter((file) => /^export (\*|\{[^}]*\}) from/m.test(textOf(file)));
    expect(barrels).toEqual([]);
  });
});

describe("the ground floor", () => {
  test("knows no environment, clock or network", () => {
    const pure = SOURCE.filter((file) => /^db\/(contract\/|redis\/|[^/]+\.ts$)/.test(file));
    const impure = pure.filter((file) =>
      /\bprocess\.|\bDate\.now\(|\bnew Date\(\)|\bfetch\(|\bDeno\./.test(textOf(file)),
    );
    expect(impure).toEqual([]);
  });
});

describe("handlers", () => {
  test("of the edge and of ingest are no longer than a screen or two", () => {
    const handlers = SOURCE.filter((file) =>
      /^(edge\/(read|write)\/|ingest\/(accept\/post-|library\/|privacy\/(get|delete)-|(sessions|party)\/(get|post|patch|delete)-))/.test(
        file,
      ),
    );
    expect(handlers.filter((file) => textOf(file).split("\n").length > 90)).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`)
    .sort();
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** What a file imports, by path from the root, or by package; `types` when only types are. */
function importsOf(file: string): { target: string; types: boolean }[] {
  const found = textOf(file).matchAll(/^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm);
  return Array.from(found, ([, types, specifier = ""]) => ({
    types: types !== undefined,
    target: specifier.startsWith(".") ? relative(ROOT, resolve(ROOT, dirname(file), specifier)) : specifier,
  }));
}

/** The files of one cycle, or none. */
function cycleIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): string[] {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(file);
    return [];
  }
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
