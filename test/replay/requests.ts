import type { Question } from "./ask.ts";
import type { Beat } from "./beat.ts";
import type { Deed, Mark } from "./deeds.ts";
import type { Device } from "./devices.ts";
import type { Delivery } from "./traffic.ts";

/** Where, and by whom. */
export type Sender = { edge: string; user_id: string; token: string };

/** What a device asks, by its own clock, also that of this very attempt; and the statuses that say it was accepted. */
export function requestOf({ edge, user_id, token }: Sender, delivery: Delivery): Request {
  const user = `${edge}/users/${user_id}`;
  switch (delivery.kind) {
    case "beats": {
      const { beats, batch } = delivery;
      const url = `${edge}/users/${batch ? user_id : beats[0]?.play_id}/playlists/watchhistory`;
      return {
        question: () => ({ url, token, method: "POST", body: bodyOf(beats, batch, Date.now()) }),
        wanted: [202],
      };
    }
    case "marks": {
      const { marks, batch } = delivery;
      const [mark] = marks;
      if (mark && !batch) return deedRequest(token, `${user}/watchhistory`, mark);
      const url = `${user}/watchhistory/watched`;
      return {
        question: () => ({ url, token, method: "POST", body: marksOf(marks, Date.now()) }),
        wanted: [200, 202],
      };
    }
    case "dismissal":
      return deedRequest(token, `${user}/continue-watching`, delivery.dismissal);
  }
}

/** A deed that happens as it arrives. */
export function liveRequest({ edge, user_id, token }: Sender, deed: Deed): Request {
  const list = deed.kind === "mark" ? "watchhistory" : "continue-watching";
  const asked = { token, ...verbOf(deed), url: `${edge}/users/${user_id}/${list}/${pathOf(deed)}` };
  return { question: () => asked, wanted: [204, 202] };
}

/** Events in a request: times by the clock of their device, also that of this very attempt. */
export function bodyOf(beats: readonly Beat[], batch: boolean, now: number): Record<string, unknown> {
  const events = beats.map(({ device, at, ...beat }) => ({
    ...beat,
    device_id: device.device_id,
    occurred_at: clockOf(device, at),
  }));
  const [event] = events;
  const sent = sentBy(beats[0]?.device, now);
  return batch ? { ...sent, events } : { ...event, ...sent };
}

/** Marks in a request, in the same way. */
export function marksOf(marks: readonly Mark[], now: number): Record<string, unknown> {
  return {
    ...sentBy(marks[0]?.device, now),
    marks: marks.map(({ event_id, content_id, device, at, watched }) => ({
      ...{ event_id, content_id, occurred_at: clockOf(device, at) },
      // Watched is what a mark says that says nothing.
      ...(watched ? {} : { watched }),
    })),
  };
}

function deedRequest(token: string, list: string, deed: Deed): Request {
  const { device, at } = deed;
  const url = () => {
    const times = { occurred_at: clockOf(device, at), ...sentBy(device, Date.now()) };
    const query = Object.entries(times).map(([name, time]) => `${name}=${encodeURIComponent(time)}`);
    return `${list}/${pathOf(deed)}?${query.join("&")}`;
  };
  return { question: () => ({ token, ...verbOf(deed), url: url() }), wanted: [204, 202] };
}

function pathOf({ kind, content_id }: Deed): string {
  return `${encodeURIComponent(content_id)}/${kind === "mark" ? "watched" : "dismissed"}`;
}

function verbOf(deed: Deed): Pick<Question, "method"> {
  if (deed.kind === "mark") return { method: deed.watched ? "PUT" : "DELETE" };
  return { method: deed.dismissed ? "POST" : "DELETE" };
}

function sentBy(device: Device | undefined, now: number): { sent_at?: string | number } {
  return device?.says_sent_at ? { sent_at: clockOf(device, now) } : {};
}

function clockOf({ skew_ms, iso_times }: Device, time: number): string | number {
  return iso_times ? new Date(time + skew_ms).toISOString() : time + skew_ms;
}

/** `question` is made anew for every attempt. */
export type Request = { question: () => Question; wanted: number[] };
