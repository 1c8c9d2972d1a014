import { createApp } from "./app.ts";
import { edgeDeps } from "./build.ts";
import { edgeConfig } from "./env.ts";
import { publicFiles } from "./files.ts";

/** As much of Deno as is used here. */
declare const Deno: {
  env: { toObject(): Record<string, string> };
  serve(options: ServeOptions, handler: (request: Request) => Response | Promise<Response>): Server;
  addSignalListener(signal: "SIGTERM" | "SIGINT", listener: () => void): void;
  exit(code: number): never;
};
type ServeOptions = { port: number; hostname: string; onListen: (address: { port: number }) => void };
type Server = { shutdown(): Promise<void>; finished: Promise<void> };

/** What is under way may take this long to finish. */
const GRACE_MS = 5_000;

/** The edge as a process of Deno: settings from the environment, until SIGTERM or SIGINT. */
function main(): void {
  const config = edgeConfig(Deno.env.toObject());
  const { port, host } = config.http;
  const app = createApp(edgeDeps(config, publicFiles));
  const onListen = (address: { port: number }) =>
    console.log(`edge: listening on http://${host}:${address.port}`);
  const server = Deno.serve({ port, hostname: host, onListen }, (request) => app.fetch(request));

  const stop = () => {
    setTimeout(() => Deno.exit(1), GRACE_MS);
    void server.shutdown().then(() => Deno.exit(0));
  };
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
