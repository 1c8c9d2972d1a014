import * as z from "zod";
import { Time } from "./arrival.ts";
import { ContentId, UserId } from "./ids.ts";
import type { PartyStatus } from "./party-lists.ts";
import { type Fault, Refusal } from "./refusals.ts";
import { text } from "./text.ts";

export const VISIBILITIES = ["public", "invite"] as const;

/** No party goes on for longer, whoever forgets to end it. */
export const LONGEST_PARTY_MS = 86_400_000;
/** What is further ahead is a mistake in the unit of time. */
const FURTHEST_AHEAD_MS = 366 * 86_400_000;
const MAX_CO_HOSTS = 20;

const fields = {
  title: text(200),
  content_id: ContentId,
  start_time: Time.describe("When it opens by itself; at once when that is past"),
  end_time: Time.nullable().describe(
    "When it ends by itself; null: a day after its start, unless a host ends it",
  ),
  visibility: z.enum(VISIBILITIES).describe("`invite`: for those who have the invite code"),
};

/** A party as a client makes one; whoever makes it is its host. */
export const PartyInput = z.strictObject({ ...fields, end_time: fields.end_time.default(null) });
export type PartyInput = z.infer<typeof PartyInput>;

/** What is to be different; what is left out stays as it is. */
export const PartyPatch = z
  .strictObject({
    ...fields,
    co_host_ids: z
      .array(UserId)
      .max(MAX_CO_HOSTS)
      .transform((ids) => [...new Set(ids)])
      .describe("All of them. The host says who they are"),
  })
  .partial();
export type PartyPatch = z.infer<typeof PartyPatch>;

/** A party. Times are epoch milliseconds; 0 for not yet, and for an end that is not set. */
export type Party = {
  party_id: string;
  title: string;
  content_id: ContentId;
  /** null: erased. */
  host_id: UserId | null;
  co_host_ids: readonly UserId[];
  visibility: (typeof VISIBILITIES)[number];
  invite_code: string;
  status: PartyStatus;
  start_time: number;
  end_time: number;
  started_at: number;
  ended_at: number;
  /** When everything that was said in it was in Postgres. */
  flushed_at: number;
  peak_viewers: number | null;
  average_viewers: number | null;
};

/** Where a party is found. */
export function partyPath(party_id: string): string {
  return `/parties/${party_id}`;
}

/** When the schedule ends it. */
export function endOf({ start_time, end_time }: Pick<Party, "start_time" | "end_time">): number {
  return end_time || start_time + LONGEST_PARTY_MS;
}

/** A party that was just made. @throws Refusal `invalid_input` for times at which there can be none. */
export function newParty(
  input: PartyInput,
  { now, ...its }: Pick<Party, "party_id" | "host_id" | "invite_code"> & { now: number },
): Party {
  const party: Party = {
    ...{ ...input, ...its, end_time: input.end_time ?? 0, co_host_ids: [], status: "SCHEDULED" },
    ...{ started_at: 0, ended_at: 0, flushed_at: 0, peak_viewers: null, average_viewers: null },
  };
  refuseTimes(party, now);
  return party;
}

/**
 * The party as it is to be. What plays, and when it began, stay as they are once it is on.
 *
 * @throws Refusal `wrong_state`, or `invalid_input` for times at which there can be none.
 */
export function patched(party: Party, { end_time, ...patch }: PartyPatch, now: number): Party {
  const settled = party.status === "ONGOING" ? (["content_id", "start_time"] as const) : [];
  if (party.status === "FINISHED" || party.status === "CANCELLED") {
    throw new Refusal("wrong_state", "the party is over");
  }
  for (const name of settled) {
    if (patch[name] !== undefined) throw new Refusal("wrong_state", `${name}: the party is on already`);
  }
  const co_host_ids = (patch.co_host_ids ?? party.co_host_ids).filter((user) => user !== party.host_id);
  const end = end_time === undefined ? party.end_time : (end_time ?? 0);
  const after: Party = { ...party, ...given(patch), end_time: end, co_host_ids };
  if (patch.start_time !== undefined || end_time !== undefined) refuseTimes(after, now);
  return after;
}

function refuseTimes(party: Party, now: number): void {
  const fault = timeFault(party, now);
  if (fault) throw new Refusal("invalid_input", `${fault.path}: ${fault.message}`, { errors: [fault] });
}

function timeFault({ start_time, end_time }: Party, now: number): Fault | null {
  if (start_time > now + FURTHEST_AHEAD_MS) return { path: "start_time", message: "more than a year ahead" };
  if (end_time === 0) {
    return endOf({ start_time, end_time }) > now ? null : { path: "start_time", message: "over a day ago" };
  }
  if (end_time <= start_time) return { path: "end_time", message: "not after start_time" };
  if (end_time <= now) return { path: "end_time", message: "in the past" };
  if (end_time - start_time > LONGEST_PARTY_MS) {
    return { path: "end_time", message: "more than a day after start_time" };
  }
  return null;
}

/** Without what is left out, which may not take the place of anything. */
function given<T extends object>(patch: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
