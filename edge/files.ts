import { readFile } from "node:fs/promises";
import type { EdgeDeps } from "./deps.ts";

const PUBLIC = new URL("./public/", import.meta.url);
const TYPES: Record<string, string> = { json: "application/json", html: "text/html; charset=utf-8" };

/** The files of `public/` where no platform serves them: on Node and Deno. */
export const publicFiles: EdgeDeps["asset"] = async (request) => {
  const [, name, extension = ""] = /^\/([a-z0-9-]+\.([a-z]+))$/.exec(new URL(request.url).pathname) ?? [];
  const type = TYPES[extension];
  if (name === undefined || type === undefined) return new Response(null, { status: 404 });
  const headers = { "content-type": type, "cache-control": "public, max-age=0, must-revalidate" };
  return new Response(await readFile(new URL(name, PUBLIC)), { headers });
};
