import { Environment as edge } from "../edge/env.ts";
import { Environment as ingest } from "../ingest/config.ts";
import { Environment as door } from "../ingest/redis-rest/config.ts";
import { run } from "./local/run.ts";

const TIMEOUT_MS = 3_000;

/**
 * Is the process of this container alive, whichever of ours it is? Exit code 0 when one of their ports answers. It need not
 * say yes: without its token the door says no to everybody.
 */
await run(async () => {
  const { env } = process;
  const ports = [
    ingest.shape.INGEST_PORT.parse(env.INGEST_PORT || undefined),
    edge.shape.EDGE_PORT.parse(env.EDGE_PORT || undefined),
    door.shape.REDIS_REST_PORT.parse(env.REDIS_REST_PORT || undefined),
  ];
  await Promise.any(ports.map(answers)).catch(() => {
    throw new Error(`Nothing answers at ${ports.join(", ")}`);
  });
  return 0;
});

async function answers(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (answer.status >= 500) throw new Error(`it answers ${answer.status}`);
}
