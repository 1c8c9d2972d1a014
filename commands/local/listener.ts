import { createServer } from "node:net";
import { freePort } from "../../db/local/port.ts";
import { messageOf } from "./run.ts";
import type { Listener } from "./settings.ts";

/**
 * A place that can be listened on: the wanted port, or a free one where 0 is wanted.
 *
 * Asked before anything starts, because a child would say it late and in its own words, and wrangler
 * would quietly take another port.
 */
export async function claim(variable: string, { host, port }: Listener): Promise<Listener> {
  if (port === 0) return { host, port: await freePort() };
  const problem = await listenOnce(host, port);
  if (problem === undefined) return { host, port };
  if (!/EADDRINUSE/.test(problem))
    throw new Error(`${variable}: cannot listen on ${host}:${port}: ${problem}`);
  throw new Error(
    `Port ${port} is taken by another program. Stop that one, or set ${variable} to a free port.`,
  );
}

/** How programs on this machine reach a listener, which may listen on every interface. */
export function urlOf({ host, port }: Listener): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function listenOnce(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error) => resolve(messageOf(error)));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}
