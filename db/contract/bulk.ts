import * as z from "zod";
import { type Fault, Refusal } from "./refusals.ts";

/** Contents of one array; more come as lines. */
export const MAX_LISTED = 1_000;
/** Bytes of a line: the longest content fits. */
export const MAX_LINE_BYTES = 65_536;

/** Contents as an array in a body like any other; each is checked alone, so that a bad one never sinks the others. */
export const ContentList = z.array(z.unknown()).min(1).max(MAX_LISTED);

export const CONTENT_OUTCOMES = ["created", "changed", "unchanged", "rejected"] as const;

/** What became of one content of many. */
export type ContentResult = {
  /** null when it named none that could be one. */
  content_id: string | null;
  status: (typeof CONTENT_OUTCOMES)[number];
  errors?: Fault[];
};

/** The same for a line: which one it was, counted from 1, blank ones too. */
export type ContentLineResult = { line: number } & ContentResult;

/** How contents are sent: as one JSON array, or as a stream of lines. @throws Refusal `unsupported_media_type` */
export function bulkForm(contentType: string | null | undefined): "array" | "lines" {
  const type = /^[^;]*/
    .exec(contentType ?? "")?.[0]
    .trim()
    .toLowerCase();
  if (type === "application/json") return "array";
  if (type === "application/x-ndjson") return "lines";
  throw new Refusal("unsupported_media_type", "send Content-Type: application/json or application/x-ndjson");
}
