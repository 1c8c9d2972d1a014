import { Refusal } from "./refusals.ts";
import { MAX_BODY_BYTES } from "./requests.ts";

/** So much is read of a body that is too large, before its connection is given up. */
const PATIENCE_BYTES = 16 * MAX_BODY_BYTES;

/** A body may take this long to come. Whoever waits for an answer gives up soon after. */
const BODY_TIMEOUT_MS = 10_000;

/**
 * The bytes of a request, as they came.
 *
 * A body over the limit is read on, for a while, but not kept: hanging up on a client that is still sending would
 * reset the connection, and it would never see the 413.
 *
 * @throws Refusal `body_too_large`, or `body_too_slow` when it is not there in ten seconds
 */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const refusal = () => new Refusal("body_too_slow", `a body is sent within ${BODY_TIMEOUT_MS / 1_000} s`);
  const timer = setTimeout(() => reject(refusal()), BODY_TIMEOUT_MS);
  try {
    return await Promise.race([readAll(request), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const announced = request.headers.get("transfer-encoding") ? null : request.headers.get("content-length");
  if (announced && Number(announced) <= MAX_BODY_BYTES) return new Uint8Array(await request.arrayBuffer());

  const reader = request.body?.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const read = await reader?.read();
    if (!read || read.done) break;
    size += read.value.length;
    if (size <= MAX_BODY_BYTES) chunks.push(read.value);
    else chunks.length = 0;
    if (size > PATIENCE_BYTES) break;
  }
  if (size > MAX_BODY_BYTES) {
    throw new Refusal("body_too_large", `a body has ${MAX_BODY_BYTES} bytes at most`);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
