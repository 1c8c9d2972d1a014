import { answers } from "./answers.ts";
import type { Door, Site } from "./bring-up.ts";
import { edgeProgram } from "./edge-program.ts";
import { urlOf } from "./listener.ts";
import { spawnPart } from "./part.ts";
import { logFile } from "./paths.ts";
import type { Listener } from "./settings.ts";

/** The edge holds no key to a store but its door's token. @returns where the edge answers. */
export async function bringUpEdge(
  site: Site,
  at: { listen: Listener; secret: string | undefined; door: Door; ingestUrl: string },
): Promise<string> {
  const { settings, env, crew, say } = site;
  const { runtime } = settings.edge;
  const { DATABASE_URL, REDIS_URL, STREAM_REDIS_URL, ...withoutStores } = env;
  const program = edgeProgram({
    runtime,
    listen: at.listen,
    dataDir: settings.dataDir,
    env: {
      ...withoutStores,
      UPSTASH_REDIS_REST_URL: at.door.url,
      UPSTASH_REDIS_REST_TOKEN: at.door.token,
      INGEST_URL: at.ingestUrl,
      AUTH_SECRET: at.secret,
    },
  });
  const part = spawnPart({ name: "the edge", ...program, log: logFile(settings.dataDir, "edge") });
  const url = urlOf(at.listen);
  crew.join(part);
  // It calls itself ready as soon as one of Redis and ingest answers; here both must.
  await crew.untilReady(part, () => answers(`${url}/ready`, {}, '"status":"ok"'));
  say(`The edge is up, on ${runtime}`);
  return url;
}
