import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Environment } from "../../edge/env.ts";
import { type Env, ROOT } from "./paths.ts";
import type { Listener, Runtime } from "./settings.ts";

/** How the edge is started on a runtime. Secrets go by environment or by file, never by argument. */
export function edgeProgram(options: {
  runtime: Runtime;
  listen: Listener;
  dataDir: string;
  env: Env;
}): EdgeProgram {
  const { runtime, listen, dataDir } = options;
  const env = { ...options.env, EDGE_HOST: listen.host, EDGE_PORT: String(listen.port) };
  switch (runtime) {
    case "node":
      return { command: process.execPath, args: ["edge/node.ts"], env };
    case "deno":
      return { command: denoBinary(), args: DENO_ARGS, env: { ...env, DENO_NO_UPDATE_CHECK: "1" } };
    case "workerd":
      return wrangler(listen, dataDir, env);
  }
}

const DENO_ARGS = [
  ...["run", "--cached-only", "--no-prompt"],
  ...["--allow-net", "--allow-env", "--allow-read=edge/public", "edge/deno.ts"],
];

/** Started from its own entry file: signals reach it there, unlike through npm's wrapper. */
function wrangler({ host, port }: Listener, dataDir: string, env: Env): EdgeProgram {
  const secretsFile = join(dataDir, `worker-${port}.env`);
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(secretsFile, dotenv(env), { mode: 0o600 });
  const args = [
    join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"),
    ...["dev", "--ip", host, "--port", String(port), "--inspector-port", "0"],
    ...["--env-file", secretsFile, "--persist-to", join(dataDir, "worker")],
    ...["--show-interactive-dev-session", "false"],
  ];
  const ours = { ...OFFLINE, WRANGLER_REGISTRY_PATH: join(dataDir, "worker-registry") };
  return { command: process.execPath, args, env: { ...env, ...ours }, secretsFile };
}

/** Without a word to any other host. */
const OFFLINE = {
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
};

/** A worker sees only what is bound to it: the variables that the edge reads. */
function dotenv(env: Env): string {
  return Object.keys(Environment.shape)
    .flatMap((name) => (env[name] ? [`${name}=${quoted(name, env[name])}\n`] : []))
    .join("");
}

/** wrangler expands `$` even between single quotes; a value cannot hold its own quotes. */
function quoted(name: string, value: string): string {
  const quote = ["'", "`", '"'].find((mark) => !value.includes(mark));
  if (quote === undefined || /[\r\n]/.test(value))
    throw new Error(`${name}: one line, without all three quotes`);
  return quote + value.replaceAll("$", "\\$") + quote;
}

/** The binary itself: the wrapper on npm's path may be a script that does not pass signals on. */
function denoBinary(): string {
  const { runInstall }: { runInstall: () => string } = createRequire(import.meta.url)("deno/install_api.cjs");
  return runInstall();
}

export type EdgeProgram = { command: string; args: string[]; env: Env; secretsFile?: string };
