import { answers } from "./answers.ts";
import type { Site, Stores } from "./bring-up.ts";
import { urlOf } from "./listener.ts";
import { spawnPart } from "./part.ts";
import { logFile } from "./paths.ts";
import type { Listener } from "./settings.ts";

/** @returns where ingest answers. */
export async function bringUpIngest(
  site: Site,
  at: Stores & { listen: Listener; secret: string | undefined },
): Promise<string> {
  const { settings, env, crew, say } = site;
  const part = spawnPart({
    name: "ingest",
    command: process.execPath,
    args: ["ingest/main.ts"],
    env: {
      ...env,
      INGEST_HOST: at.listen.host,
      INGEST_PORT: String(at.listen.port),
      DATABASE_URL: at.databaseUrl,
      REDIS_URL: at.redisUrl,
      AUTH_SECRET: at.secret,
      // The edge serves the pages, ingest their sockets.
      PARTY_ORIGINS: env.PARTY_ORIGINS || originsOf(settings.edge),
    },
    log: logFile(settings.dataDir, "ingest"),
  });
  const url = urlOf(at.listen);
  crew.join(part);
  await crew.untilReady(part, () => answers(`${url}/ready`));
  say("Ingest is up");
  return url;
}

/** A browser is told `localhost` or the address; for any free port nobody knows it yet. */
function originsOf({ host, port }: Listener): string {
  return port === 0 ? "" : [urlOf({ host, port }), `http://localhost:${port}`].join(",");
}
