import { answers } from "./answers.ts";
import type { Door, Site } from "./bring-up.ts";
import { edgeRedisUser } from "./edge-redis-user.ts";
import { urlOf } from "./listener.ts";
import { spawnPart } from "./part.ts";
import { logFile } from "./paths.ts";
import type { Listener } from "./settings.ts";

/** The Upstash-compatible door through which the edge reaches Redis, as the edge's own restricted user. */
export async function bringUpDoor(site: Site, at: { listen: Listener; redisUrl: string }): Promise<Door> {
  const { settings, secrets, env, crew, say } = site;
  const door = { url: urlOf(at.listen), token: secrets.door_token };
  const redisUrl = await edgeRedisUser({
    redisUrl: at.redisUrl,
    password: secrets.edge_redis_password,
    signal: crew.over,
    warn: (message) => say(`Warning: ${message}`),
  });
  const part = spawnPart({
    name: "the Redis door",
    command: process.execPath,
    args: ["ingest/redis-rest/main.ts"],
    env: {
      ...env,
      REDIS_REST_HOST: at.listen.host,
      REDIS_REST_PORT: String(at.listen.port),
      REDIS_REST_TOKEN: door.token,
      REDIS_URL: redisUrl,
    },
    log: logFile(settings.dataDir, "door"),
  });
  crew.join(part);
  await crew.untilReady(part, () => answersPing(door));
  say("The Redis door is up");
  return door;
}

/** One answer says it all: the door listens, takes this token, and Redis takes its user. */
function answersPing({ url, token }: Door): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return answers(url, { method: "POST", headers, body: '["PING"]' });
}
