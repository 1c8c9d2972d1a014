import { createAdaptorServer } from "@hono/node-server";
import { createApp } from "./app.ts";
import { edgeDeps } from "./build.ts";
import { edgeConfig } from "./env.ts";
import { publicFiles } from "./files.ts";

/** What is under way may take this long to finish. */
const GRACE_MS = 5_000;
/** A catalogue may be sent for as long as something moves; a connection where nothing does is given up after this. */
const IDLE_TIMEOUT_MS = 300_000;
const PATIENT = { requestTimeout: 0, headersTimeout: 60_000 };

/** The edge as a process of its own: settings from the environment, until SIGTERM or SIGINT. */
export function serveEdge(env: Readonly<Record<string, unknown>>): void {
  try {
    listen(env);
  } catch (error) {
    fail(error);
  }
}

function listen(env: Readonly<Record<string, unknown>>): void {
  const config = edgeConfig(env);
  const { port, host } = config.http;
  const { fetch } = createApp(edgeDeps(config, publicFiles));
  const server = createAdaptorServer({ fetch, serverOptions: PATIENT });
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.once("error", fail);
  server.listen(port, host, () => {
    const address = server.address();
    const bound = typeof address === "object" && address ? address.port : port;
    console.log(`edge: listening on http://${host}:${bound}`);
  });

  const stop = () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    server.close();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
