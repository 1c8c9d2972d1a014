/** What Redis answers, in RESP2: strings as the bytes they are, and errors as values wherever they stand. */
export type Reply = Buffer | number | string | null | Error | Reply[];

/** How a string of Redis becomes a string of JSON. */
export type TextOf = (bytes: Buffer) => string;

/** Byte-exact: what the client decodes is what Redis holds, UTF-8 or not. */
export const asBase64: TextOf = (bytes) => bytes.toString("base64");

export const asUtf8: TextOf = (bytes) => bytes.toString("utf8");

/** One answer of the Upstash protocol. An error keeps Redis's own text: clients act on its first word. */
export function envelope(reply: Reply, textOf: TextOf): { result: unknown } | { error: string } {
  return reply instanceof Error ? { error: reply.message } : { result: shape(reply, textOf) };
}

function shape(reply: Reply, textOf: TextOf): unknown {
  if (Buffer.isBuffer(reply)) return textOf(reply);
  if (Array.isArray(reply)) return reply.map((item) => shape(item, textOf));
  if (typeof reply === "string") return textOf(Buffer.from(reply));
  if (reply instanceof Error) return { error: reply.message };
  return reply;
}
