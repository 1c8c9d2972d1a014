export interface DoorConfig {
  port: number;
  host: string;
  token: string;
  redisUrl: string;
}

/** Reads the door's settings, or throws one error that names everything wrong with them. */
export function readDoorConfig(env: Record<string, string | undefined>): DoorConfig {
  const faults: string[] = [];
  const port = Number(env.REDIS_REST_PORT || 8789);
  const host = env.REDIS_REST_HOST || "127.0.0.1";
  const token = env.REDIS_REST_TOKEN ?? "";
  const redisUrl = env.REDIS_URL ?? "";

  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    faults.push("REDIS_REST_PORT: the port to listen on, a whole number from 0 to 65535");
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    faults.push("REDIS_REST_TOKEN: required, the secret that clients send; printable ASCII without spaces");
  }
  if (!isRedisUrl(redisUrl)) {
    faults.push("REDIS_URL: required, the Redis behind the door, redis://[user:password@]host:port");
  }
  if (faults.length > 0) throw new Error(`The Redis door cannot start:\n  ${faults.join("\n  ")}`);
  return { port, host, token, redisUrl };
}

function isRedisUrl(text: string): boolean {
  return URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol);
}
