import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { Refused } from "./refused.ts";

export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/**
 * Reads a whole request body as JSON.
 *
 * A body over the limit is read to its end but not kept: hanging up on a client that is still sending would
 * reset the connection, and it would never see the 413. Bytes that are not UTF-8 are refused, because decoding
 * them would store something else than what was sent.
 */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  const body = await readBytes(req);
  if (!isUtf8(body)) throw new Refused(400, "ERR the body is not UTF-8");
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refused(400, "ERR the body is not JSON");
  }
}

function readBytes(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    });
    req.on("end", () => {
      if (size > MAX_BODY_BYTES) reject(new Refused(413, `ERR the body is over ${MAX_BODY_BYTES} bytes`));
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    req.on("error", reject);
    req.on("close", () => {
      if (!req.complete) reject(new Error("the client left before its request was complete"));
    });
  });
}
