import * as z from "zod";

/**
 * Every id a client may send: 1 to 128 of `A-Z a-z 0-9 . _ ~ : @ -`, but for `.` and `..`, which no path can name.
 *
 * Braces are not among them, so a user id can stand inside a Redis hash tag; NUL is not among
 * them, so Postgres can store every id. Ids are compared as bytes: `alice` is not `Alice`.
 */
const Id = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._~:@-]{1,128}$/, "1 to 128 of A-Z a-z 0-9 . _ ~ : @ -");

export const UserId = Id.brand<"UserId">();
export const ContentId = Id.brand<"ContentId">();
/** Ids that are only carried along: events, plays, devices, catalogues, playback sessions. */
export const PlainId = Id;

export type UserId = z.infer<typeof UserId>;
export type ContentId = z.infer<typeof ContentId>;

/** The one order of ids, everywhere: by bytes. Ids are ASCII, so UTF-16 order is byte order. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
