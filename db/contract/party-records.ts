import * as z from "zod";
import { PlainId, UserId } from "./ids.ts";

const happened = {
  party_id: PlainId,
  event_id: z.string().min(1),
  at: z.int(),
  media_time: z.number(),
  user_id: UserId.nullable(),
};

/** What happened in a party, as it waits for Postgres: checked, because whatever cannot be stored waits for a person. */
export const StoredPartyRecord = z.discriminatedUnion("kind", [
  z.object({ ...happened, kind: z.literal("chat"), name: z.string().nullable(), text: z.string() }),
  z.object({ ...happened, kind: z.literal("like"), count: z.int() }),
  z.object({ ...happened, kind: z.literal("viewers"), count: z.int() }),
  z.object({
    ...happened,
    kind: z.literal("log"),
    event: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
]);
export type StoredPartyRecord = z.infer<typeof StoredPartyRecord>;
