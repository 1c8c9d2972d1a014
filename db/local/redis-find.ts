import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/**
 * Looks for a Redis server, and for a search module that goes with it.
 *
 * @returns undefined where there is no server; `searchModule` is undefined where there is no module.
 */
export function findRedis(places: RedisPlaces = usualPlaces()): RedisProgram | undefined {
  const server = places.folders.map((folder) => join(folder, "redis-server")).find(isExecutable);
  if (server === undefined) return undefined;

  const beside = join(dirname(server), "..", "lib");
  const searchModule = [
    join(beside, "redisearch.so"),
    join(beside, "redis", "modules", "redisearch.so"),
    ...places.modules(),
  ].find(isReadable);
  return { server, searchModule };
}

/** PATH first: a Redis that the user chose goes before one that merely lies there. */
export function usualPlaces(): RedisPlaces {
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return {
    folders: [...path, "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/redis-stack/bin"],
    modules: () => [
      "/usr/lib/redis/modules/redisearch.so",
      "/usr/local/lib/redis/modules/redisearch.so",
      "/opt/homebrew/lib/redis/modules/redisearch.so",
      "/opt/redis-stack/lib/redisearch.so",
      ...modulesByDpkg(),
    ],
  };
}

function modulesByDpkg(): string[] {
  try {
    const files = execFileSync("dpkg", ["-L", "redis-redisearch"], { encoding: "utf8", stdio: "pipe" });
    return files.split("\n").filter((file) => file.endsWith(".so"));
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  return isAccessible(file, constants.X_OK);
}

function isReadable(file: string): boolean {
  return isAccessible(file, constants.R_OK);
}

function isAccessible(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}

export type RedisProgram = { server: string; searchModule: string | undefined };

export type RedisPlaces = { folders: readonly string[]; modules: () => readonly string[] };
