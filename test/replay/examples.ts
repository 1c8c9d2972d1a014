import type { Beat } from "./beat.ts";
import type { Device } from "./devices.ts";

/** A device with a right clock that says all it can, unless told otherwise. */
export function aDevice(its: Partial<Device> = {}): Device {
  return {
    device_id: "tv",
    skew_ms: 0,
    says_sent_at: false,
    iso_times: false,
    knows_duration: true,
    knows_catalogue: true,
    ...its,
  };
}

/** A beat in the middle of a match, unless told otherwise. */
export function aBeat(its: Partial<Beat> = {}): Beat {
  return {
    event_id: "e1",
    device: aDevice(),
    at: 1_000,
    content_id: "match",
    catalog_id: "football",
    playback_time: 600,
    duration: 7_200,
    action: null,
    play_id: "play",
    ...its,
  };
}
