import { PlainId } from "../db/contract/ids.ts";
import type { IngestContext } from "./deps.ts";

/** The edge's id of a request, so that both sides' logs can be joined; one of ours where it sent none. */
export function requestId(c: IngestContext, newId: () => string): string {
  const known = c.get("requestId");
  if (known !== undefined) return known;
  const named = PlainId.safeParse(c.req.header("x-request-id"));
  return named.success ? named.data : newId();
}
