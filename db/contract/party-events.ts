import type { CloudEvent } from "./cloud-events.ts";
import type { UserId } from "./ids.ts";
import type { Party } from "./parties.ts";

/** Why a party is over: `missed` is one whose whole time passed while nobody could open it. */
export type PartyEnd = "host" | "schedule" | "cancelled" | "missed";

/** A party is on. It opens once, under one id; it is about its host. */
export function partyStarted(party: Hosted): CloudEvent {
  return partyEvent("started", "PartyStarted", party, party.started_at, {
    end_time: party.end_time === 0 ? null : isoTime(party.end_time),
  });
}

/** A party is over, or will not be. It ends once, under one id. */
export function partyEnded(
  party: Hosted,
  { reason, peak_viewers }: { reason: PartyEnd; peak_viewers: number },
): CloudEvent {
  const end_time = isoTime(party.ended_at);
  return partyEvent("ended", "PartyEnded", party, party.ended_at, { end_time, reason, peak_viewers });
}

function partyEvent(
  what: string,
  type: CloudEvent["type"],
  { party_id, title, content_id, host_id, status, start_time }: Hosted,
  at: number,
  more: Readonly<Record<string, unknown>>,
): CloudEvent {
  return {
    specversion: "1.0",
    id: `${party_id}/${what}`,
    source: "playhead",
    type,
    subject: host_id,
    time: isoTime(at),
    datacontenttype: "application/json",
    data: { party_id, title, content_id, user_id: host_id, start_time: isoTime(start_time), status, ...more },
  };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

/** A party whose host was not erased. */
export type Hosted = Party & { host_id: UserId };
