import * as z from "zod";
import { port, readEnvironment, url } from "../../db/environment.ts";

/** Every variable that the door reads, with its default and in words. */
export const Environment = z.object({
  REDIS_REST_PORT: port.default(8789).describe("Where the door listens"),
  REDIS_REST_HOST: z.string().default("127.0.0.1").describe("The interface that it listens on"),
  REDIS_REST_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, "the secret that clients send: printable ASCII without spaces")
    .describe("The secret that clients send"),
  REDIS_URL: url("redis:", "rediss:").describe(
    "The Redis behind the door, with the user that it connects as",
  ),
});

export type DoorConfig = { port: number; host: string; token: string; redisUrl: string };

/** The configuration of the door. @throws Error that lists every wrong variable at once. */
export function readDoorConfig(env: Record<string, string | undefined>): DoorConfig {
  const its = readEnvironment(Environment, env);
  return {
    port: its.REDIS_REST_PORT,
    host: its.REDIS_REST_HOST,
    token: its.REDIS_REST_TOKEN,
    redisUrl: its.REDIS_URL,
  };
}
