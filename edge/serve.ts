import { createAdaptorServer } from "@hono/node-server";
import { IDLE_TIMEOUT_MS, SERVER_BOUNDS } from "../db/server-bounds.ts";
import { createApp } from "./app.ts";
import { edgeDeps } from "./build.ts";
import { edgeConfig } from "./env.ts";
import { publicFiles } from "./files.ts";
import { edgeMetrics, metricsServer } from "./metrics.ts";
import { tracesOfProcess } from "./watching.ts";

/** What is under way may take this long to finish. */
const GRACE_MS = 5_000;

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
  const { port, host, metricsPort } = config.http;
  const metrics = edgeMetrics();
  const traces = tracesOfProcess(config.traces);
  const watching = { ...traces.watching, answered: metrics.answered };
  const { fetch } = createApp({ ...edgeDeps(config, publicFiles), watching });
  const server = createAdaptorServer({ fetch, serverOptions: SERVER_BOUNDS });
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.once("error", fail);
  server.listen(port, host, () => {
    const address = server.address();
    const bound = typeof address === "object" && address ? address.port : port;
    console.log(`edge: listening on http://${host}:${bound}`);
  });
  const scraped = metricsPort === undefined ? undefined : metricsServer(metrics);
  scraped?.once("error", fail);
  scraped?.listen(metricsPort, host);

  const stop = () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    server.close(() => void traces.stop());
    scraped?.close();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
