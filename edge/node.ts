import { createAdaptorServer } from "@hono/node-server";
import { createApp } from "./app.ts";
import { edgeDeps } from "./build.ts";
import { edgeConfig } from "./env.ts";
import { publicFiles } from "./files.ts";

/** What is under way may take this long to finish. */
const GRACE_MS = 5_000;

/** The edge as a process of Node: settings from the environment, until SIGTERM or SIGINT. */
function main(): void {
  const config = edgeConfig(process.env);
  const { port, host } = config.http;
  const server = createAdaptorServer({ fetch: createApp(edgeDeps(config, publicFiles)).fetch });
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

try {
  main();
} catch (error) {
  fail(error);
}
