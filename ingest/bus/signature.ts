import { createHmac } from "node:crypto";

/** What is signed: a name for the message that stays the same at each attempt, the time of this one, and the very bytes. */
export type Message = { id: string; seconds: number; body: string };

/**
 * The headers of Standard Webhooks. With several keys there is a signature of each, so that a receiver may go from one
 * key to the next at its leisure.
 */
export function signedHeaders({ id, seconds, body }: Message, keys: readonly Uint8Array[]) {
  const signatures = keys.map(
    (key) => `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`,
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" "),
  };
}
