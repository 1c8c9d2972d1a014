import * as z from "zod";
import { isStorable, text } from "./text.ts";

/** Preferences are what a client likes to remember; so much of it, and no more. */
const PREFERENCES_BYTES = 16_384;
const PREFERENCES_DEPTH = 8;

const Preferences = z
  .record(z.string(), z.unknown())
  .refine((value) => isPlain(value, PREFERENCES_DEPTH), {
    error: `JSON that is nested ${PREFERENCES_DEPTH} deep at most, without NUL`,
    abort: true,
  })
  .refine((value) => new TextEncoder().encode(JSON.stringify(value)).length <= PREFERENCES_BYTES, {
    error: `${PREFERENCES_BYTES} bytes of JSON at most`,
  });

const Avatar = text(2_000).pipe(z.url({ protocol: /^https?$/, error: "an http or https URL" }));

/** A profile as `PUT /profiles/:user_id` takes it: all of it, what is left out is gone. */
export const ProfileInput = z.strictObject({
  name: text(100),
  avatar: Avatar.nullable().default(null).describe("The URL of a picture, http or https"),
  preferences: Preferences.default({}).describe("Whatever clients like to remember: 16 KB of JSON at most"),
});
export type ProfileFacts = z.infer<typeof ProfileInput>;

/** A profile as a client gets it. */
export const Profile = z.object({
  user_id: z.string(),
  name: z.string(),
  avatar: z.string().nullable(),
  preferences: z.record(z.string(), z.unknown()),
  updated_at: z.iso.datetime().describe("When it last changed"),
});
export type Profile = z.infer<typeof Profile>;

/** Is it something that JSON can say and Postgres can store, no deeper than this? 1e400 is no number any more. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === "string") return isStorable(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.entries(value).every(([key, its]) => isStorable(key) && isPlain(its, depth - 1));
}
