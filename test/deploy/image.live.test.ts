import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Child, startChild } from "../../db/local/child.ts";
import { freePort } from "../../db/local/port.ts";
import { ensureRedis } from "../../db/local/redis-install.ts";
import { composeServices, composeVariables } from "../support/compose.ts";
import { programIn } from "../support/deployed.ts";
import { type InImage, makeImage, startInImage } from "../support/image-process.ts";
import { FOLDERS, workloads } from "../support/manifests.ts";
import { onServer } from "../support/on-server.ts";
import { createEmptyDatabase, type TestDatabase } from "../support/postgres.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/**
 * What the image has, started as compose.yaml starts it, with its environment, on real stores. Only names of hosts and ports
 * are others, and the container is missing.
 */
const secrets = Object.fromEntries(
  composeVariables().map((name) => [name, `${name.toLowerCase()}-0123456789`]),
);
const services = composeServices(secrets);
const image = mkdtempSync(join(tmpdir(), "playhead-image-"));
const dir = mkdtempSync(join(tmpdir(), "playhead-redis-"));
const aclFile = join(dir, "users.acl");
const started = new Map<string, InImage>();
const ports: Record<string, number> = {};

let database: TestDatabase;
let redis: Child;
let before: string[];
beforeAll(async () => {
  makeImage(image);
  before = filesIn(image);
  for (const name of ["edge", "ingest", "door", "redis"]) ports[name] = await freePort();
  database = await createEmptyDatabase();
}, 120_000);
afterAll(async () => {
  for (const { signal, code } of started.values()) {
    signal("SIGKILL");
    await code;
  }
  await redis?.stop();
  await database?.drop();
  for (const folder of [image, dir]) rmSync(folder, { recursive: true, force: true });
});

const urlOf = (name: string) => `http://127.0.0.1:${ports[name]}`;

/** A service of compose.yaml, where its hosts are on this machine. */
function start(name: string, command = services[name]?.command, more: Record<string, string> = {}): InImage {
  const [, ...args] = command ?? [];
  const given = Object.entries(services[name]?.environment ?? {}).map(([variable, value]) => {
    if (variable === "DATABASE_URL") return [variable, database.url];
    return [
      variable,
      value.replace(/\b(edge|ingest|door|redis):\d+/, (_, host) => `127.0.0.1:${ports[host]}`),
    ];
  });
  const listen = {
    EDGE_PORT: `${ports.edge}`,
    INGEST_PORT: `${ports.ingest}`,
    REDIS_REST_PORT: `${ports.door}`,
  };
  return startInImage(image, args, { ...Object.fromEntries(given), ...listen, ...more });
}

async function ended({ code, said }: InImage): Promise<{ code: number | null; out: string; err: string }> {
  return { code: await code, ...said };
}

/** What the image's own check says of one of them, in its container: of the others nobody is there. */
function healthOf(name: string): ReturnType<typeof ended> {
  const nowhere = { EDGE_PORT: "1", INGEST_PORT: "1", REDIS_REST_PORT: "1" };
  const here = PORT_NAMES[name] ?? "";
  return ended(start(name, ["node", "commands/health.ts"], { ...nowhere, [here]: `${ports[name]}` }));
}

const PORT_NAMES: Record<string, string> = {
  edge: "EDGE_PORT",
  ingest: "INGEST_PORT",
  door: "REDIS_REST_PORT",
};

async function isUp(name: string): Promise<void> {
  const its = start(name);
  started.set(name, its);
  const healthy = async () => (await healthOf(name)).code === 0;
  await until(healthy, { timeout: 30_000, what: `${name} to be healthy` }).catch((cause) => {
    throw new Error(`${name}: ${its.said.err}${its.said.out}`, { cause });
  });
}

/** Asks it to end, as whoever runs containers does. @returns its exit code. */
async function stopped(name: string): Promise<number | null | undefined> {
  started.get(name)?.signal("SIGTERM");
  return await started.get(name)?.code;
}

describe("before anything runs", () => {
  test("a command that lacks a store says which, and a wrong one is named", async () => {
    const without = await ended(start("migrate", undefined, { DATABASE_URL: "" }));
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining("DATABASE_URL") });
    const wrong = await ended(start("migrate", undefined, { DATABASE_URL: "mysql://user:hunter2@db" }));
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("DATABASE_URL:") });
    expect(wrong.err).not.toContain("hunter2");
  });

  test.each(Object.keys(PORT_NAMES))("%s is not healthy", async (name) => {
    expect(await healthOf(name)).toMatchObject({ code: 1, err: expect.stringContaining("Nothing answers") });
  });
});

describe("the whole of it", () => {
  test("the database is migrated", async () => {
    expect(await ended(start("migrate"))).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("Applied"),
    });
    expect(await ended(start("migrate"))).toMatchObject({ code: 0, out: "Nothing to apply.\n" });
  });

  test("Redis starts with the users that were made for it, and takes nobody else", async () => {
    const { server, searchModule } = await ensureRedis();
    const command = services["redis-users"]?.command ?? [];
    const words = Array.isArray(command) ? command : [];
    const made = start("redis-users", [...words.slice(0, -1), ...(searchModule ? [] : ["--no-search"])]);
    const { code, out } = await ended(made);
    expect({ code, secret: Object.values(secrets).some((its) => out.includes(its)) }).toEqual({
      code: 0,
      secret: false,
    });
    writeFileSync(aclFile, out);

    const settings = String(services.redis?.command)
      .replace(/--aclfile \S+/, `--aclfile ${aclFile}`)
      .split(/\s+/)
      .slice(1);
    const here = ["--port", `${ports.redis}`, "--bind", "127.0.0.1", "--dir", dir];
    const search = searchModule ? ["--loadmodule", searchModule] : [];
    redis = await startChild({
      name: "Redis",
      command: server,
      args: [...settings, ...here, ...search],
      stopSignal: "SIGTERM",
      ready: ({ log }) => /ready to accept connections/i.test(log()),
    });
    const nobody = new Redis(ports.redis ?? 0, { enableReadyCheck: false });
    await expect(nobody.get("wh:state:{alice}")).rejects.toThrow("NOAUTH");
    nobody.disconnect();
  });

  test.each(["door", "ingest", "edge"])(
    "%s starts, and is healthy by the image's own check",
    async (name) => {
      await isUp(name);
      await until(async () => (await fetch(urlOf(name))).status > 0);
    },
    60_000,
  );

  test("every probe of the manifests is answered with yes, the door's by a connection", async () => {
    const running = FOLDERS.flatMap(workloads).filter(({ kind }) => kind === "Deployment");
    const asked = running.flatMap(({ container, template }) => {
      const name = Object.keys(ports).find((one) =>
        services[one]?.command.includes(programIn(container.command).file),
      );
      const { startupProbe, readinessProbe, livenessProbe } = container;
      const probes = [startupProbe, readinessProbe, livenessProbe].flatMap(
        (probe) => probe?.httpGet?.path ?? [],
      );
      const scraped = template.metadata.annotations["prometheus.io/path"] ?? [];
      return probes.concat(scraped).map((path) => `${urlOf(name ?? "")}${path}`);
    });
    expect(asked.length).toBeGreaterThanOrEqual(7);
    for (const url of asked) expect([url, (await fetch(url)).status]).toEqual([url, 200]);
    expect((await fetch(urlOf("door"))).status).toBe(401);
  });

  test("what is watched is seen", async () => {
    const headers = { authorization: `Bearer ${await tokenFor(secrets.AUTH_SECRET ?? "", "alice")}` };
    expect((await beat(headers, "alice", "c")).status).toBe(202);
    const seen = async () => (await fetch(`${urlOf("edge")}/users/alice/watchhistory`, { headers })).json();
    await until(async () => JSON.stringify(await seen()).includes('"content_id":"c"'));
  });

  test("the door has the rights of the edge, not more", async () => {
    const ask = async (command: string[]) => {
      const headers = {
        authorization: `Bearer ${secrets.REDIS_REST_TOKEN}`,
        "content-type": "application/json",
      };
      return await (
        await fetch(urlOf("door"), { method: "POST", headers, body: JSON.stringify(command) })
      ).json();
    };
    expect(await ask(["ZCARD", "wh:order:{alice}"])).toEqual({ result: 1 });
    expect(await ask(["HSET", "wh:state:{alice}", "a", "b"])).toEqual({
      error: expect.stringContaining("NOPERM"),
    });
  });

  test("an audit of it runs where the migration did", async () => {
    expect(await ended(start("migrate", ["node", "commands/audit.ts"]))).toMatchObject({ code: 0 });
  });
});

describe("a stop", () => {
  test("of ingest under traffic comes in time, by itself, and loses nothing; nobody is refused", async () => {
    const users = Array.from({ length: 8 }, (_, n) => `viewer-${n}`);
    const statuses = new Map<number, number>();
    let over = false;
    const traffic = users.map(async (user) => {
      const headers = { authorization: `Bearer ${await tokenFor(secrets.AUTH_SECRET ?? "", user)}` };
      for (let n = 0; n < 150 && !over; n++) {
        const status = await beat(headers, user, `c${n}`).then(
          (answer) => answer.status,
          () => 0,
        );
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    await until(() => (statuses.get(202) ?? 0) > 100, { timeout: 30_000 });
    // One that is forced to end does so with 1.
    const code = await stopped("ingest");
    over = true;
    await Promise.all(traffic);
    expect({ code, statuses: [...statuses.keys()] }).toEqual({ code: 0, statuses: [202] });

    await isUp("ingest");
    const accepted = statuses.get(202) ?? 0;
    await until(async () => (await storedItems("viewer-%")) === accepted, { timeout: 30_000 });
  }, 120_000);

  test.each(["edge", "door", "ingest"])("of %s ends with 0", async (name) => {
    expect(await stopped(name)).toBe(0);
  });

  test("leaves the image as it was", () => {
    expect(filesIn(image)).toEqual(before);
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}

async function beat(headers: Record<string, string>, user: string, content_id: string): Promise<Response> {
  const answer = await fetch(`${urlOf("edge")}/users/${user}/playlists/watchhistory`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ content_id, playback_time: 60, duration: 600 }),
  });
  await answer.arrayBuffer();
  return answer;
}

async function storedItems(users: string): Promise<number> {
  let count = -1;
  await onServer(database.url, async (sql) => {
    const [row] = await sql`SELECT count(*)::int AS count FROM listitems WHERE user_id LIKE ${users}`;
    count = row?.count;
  });
  return count;
}
