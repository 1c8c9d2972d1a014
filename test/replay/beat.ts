import type { Catalogue, Content } from "./catalogue.ts";
import type { Deed } from "./deeds.ts";
import type { Device } from "./devices.ts";
import type { Random } from "./random.ts";

/** One heartbeat as it really was. `at` is the true time, whatever the device's clock says. */
export type Beat = {
  event_id: string;
  device: Device;
  at: number;
  content_id: string;
  catalog_id: string | null;
  playback_time: number;
  duration: number | null;
  action: "play" | "pause" | "seek" | "stop" | "finish" | null;
  play_id: string;
};

/** A viewer at work. */
export type Viewer = {
  user_id: string;
  random: Random;
  catalogue: Catalogue;
  devices: readonly Device[];
  beats: Beat[];
  deeds: Deed[];
  /** Where this viewer was last in each content. */
  places: Map<Content, number>;
};

/** A player at work: one device on one content. */
export type Play = { device: Device; content: Content; play_id: string };

/** The player reports. The beginning of an event id is chance, so that ties by event_id go either way. */
export function report(
  { user_id, random, beats }: Viewer,
  { device, content, play_id }: Play,
  what: Pick<Beat, "at" | "playback_time" | "action">,
): void {
  beats.push({
    ...what,
    event_id: `${random.between(0, 0xffff).toString(16)}.${user_id}.${beats.length}`,
    playback_time: Math.round(what.playback_time * 1_000) / 1_000,
    device,
    content_id: content.content_id,
    catalog_id: device.knows_catalogue ? content.catalog_id : null,
    duration: device.knows_duration ? content.duration : null,
    play_id,
  });
}
