import type { Crew } from "./crew.ts";
import { claim } from "./listener.ts";
import type { Env } from "./paths.ts";
import type { LocalSecrets } from "./secrets.ts";
import type { LocalSettings } from "./settings.ts";
import { bringUpDoor } from "./up-door.ts";
import { bringUpEdge } from "./up-edge.ts";
import { bringUpIngest } from "./up-ingest.ts";
import { bringUpStores } from "./up-stores.ts";

/**
 * Brings everything up, each on top of what it needs, and waits for each by a fact that only its
 * working self can give. What has been started is in the crew, whatever happens on the way.
 */
export async function bringUp(site: Site): Promise<Places> {
  const { settings, secrets } = site;
  const listen = {
    edge: await claim("EDGE_PORT", settings.edge),
    ingest: await claim("INGEST_PORT", settings.ingest),
    door: settings.upstash ? settings.door : await claim("REDIS_REST_PORT", settings.door),
  };
  const secret = settings.authJwksUrl ? undefined : (settings.authSecret ?? secrets.auth_secret);

  const stores = await bringUpStores(site);
  const door = settings.upstash ?? (await bringUpDoor(site, { listen: listen.door, ...stores }));
  const ingestUrl = await bringUpIngest(site, { listen: listen.ingest, secret, ...stores });
  const edgeUrl = await bringUpEdge(site, { listen: listen.edge, secret, door, ingestUrl });

  return { edgeUrl, ingestUrl, door, secret, ...stores };
}

/** What every step needs. */
export type Site = {
  settings: LocalSettings;
  secrets: LocalSecrets;
  env: Env;
  crew: Crew;
  say: (line: string) => void;
};

export type Stores = { databaseUrl: string; redisUrl: string };

export type Door = { url: string; token: string };

export type Places = Stores & {
  edgeUrl: string;
  ingestUrl: string;
  door: Door;
  /** What tokens are signed with; undefined where that is somebody else's business. */
  secret: string | undefined;
};
