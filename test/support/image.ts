import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The files of the checkout that the image gets: what the Dockerfile copies and .dockerignore leaves. */
export function imageFiles(): string[] {
  const ignored = ignoring(readFileSync(join(ROOT, ".dockerignore"), "utf8"));
  const copies = readFileSync(join(ROOT, "Dockerfile"), "utf8").matchAll(/^COPY (?!--from)(.+) \S+$/gm);
  const named = Array.from(copies).flatMap(([, sources = ""]) => sources.split(" "));
  return [...new Set(named.flatMap(filesOf))].filter((file) => !ignored(file)).sort();
}

/** The packages that `npm ci --omit=dev --omit=optional` installs, as folders below the checkout. */
export function imagePackages(): string[] {
  const { packages } = Lock.parse(JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")));
  return Object.entries(packages).flatMap(([path, { dev, optional, devOptional }]) =>
    path === "" || dev || optional || devOptional ? [] : [path],
  );
}

const flag = z.boolean().default(false);
const Lock = z.object({
  packages: z.record(z.string(), z.object({ dev: flag, optional: flag, devOptional: flag })),
});

function filesOf(source: string): string[] {
  const found = readdirSync(ROOT, { withFileTypes: true }).find(({ name }) => name === source);
  if (found?.isFile()) return [source];
  return readdirSync(join(ROOT, source), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));
}

/** The last rule that names a file or a folder above it decides. Of wildcards it knows `*` alone, which is everything. */
function ignoring(text: string): (file: string) => boolean {
  const rules = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return (file) => {
    const deciding = rules.findLast((rule) => {
      const path = rule.replace(/^!/, "");
      return path === "*" || file === path || file.startsWith(`${path}/`);
    });
    return deciding !== undefined && !deciding.startsWith("!");
  };
}
