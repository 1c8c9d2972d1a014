import type { Answer, Question } from "./ask.ts";
import type { Beat } from "./beat.ts";
import type { Model } from "./model.ts";
import { type PersistDeps, persist } from "./persist.ts";
import type { Delivery, Step } from "./traffic.ts";

/**
 * Does what a viewer's devices do, one step after the other, and tells the model of everything that was accepted.
 *
 * What was not answered is sent again under the same event ids until it is accepted, so that the model knows
 * exactly what the service has promised to keep.
 *
 * @throws when something is refused for good: none of this traffic should be.
 */
export async function sendSteps(
  viewer: SendingViewer,
  steps: readonly Step[],
  deps: SendDeps,
): Promise<void> {
  const { user_id, token } = viewer;
  const { edge, model, admit, onSent } = deps;
  const history = `${edge}/users/${user_id}/watchhistory`;
  /** The latest moment at which something was forgotten, or a live event happened. */
  let last = 0;

  for (const step of steps) {
    await admit();
    switch (step.kind) {
      case "events":
        await Promise.all(step.together.map(deliver));
        break;
      case "live": {
        last = await momentAfter(last);
        await deliver({ beats: [{ ...step.beat, at: last }], batch: false });
        break;
      }
      case "read":
        await settled(history, () => ({ token }), 200);
        break;
      case "forget":
        last = await remove(`${history}/${step.content_id}`);
        model.forgot(user_id, step.content_id, last);
        break;
      case "clear": {
        const query = step.before === null ? "" : `?before=${step.before}`;
        last = await remove(history + query);
        model.cleared(user_id, step.before ?? last);
        break;
      }
    }
  }

  async function deliver({ beats, batch }: Delivery): Promise<void> {
    const [first] = beats;
    if (!first) return;
    const { device, play_id } = first;
    const url = `${edge}/users/${batch ? user_id : play_id}/playlists/watchhistory`;
    const question = (): Question => ({ token, method: "POST", body: bodyOf(beats, batch, Date.now()) });
    const { answer, took } = await settled(url, question, 202);
    if (answer.body.includes("rejected")) throw new Error(`an event of a batch was rejected: ${answer.body}`);
    for (const beat of beats) model.heard(user_id, beat, device.skew_ms === 0 ? 0 : took);
    onSent(beats.length);
  }

  /** @returns a moment at which it was forgotten already, and before which nothing else of this viewer happens. */
  async function remove(url: string): Promise<number> {
    await settled(url, () => ({ token, method: "DELETE" }), 204, 202);
    return Date.now();
  }

  async function settled(
    url: string,
    question: () => Question,
    ...wanted: number[]
  ): Promise<{ answer: Answer; took: number }> {
    const outcome = await persist(url, question, deps);
    const { status, body } = outcome.answer;
    if (!wanted.includes(status)) throw new Error(`${url} answered ${status}: ${body}`);
    return outcome;
  }
}

/** What a device puts into a request: times by its own clock, also that of this very attempt. */
export function bodyOf(beats: readonly Beat[], batch: boolean, now: number): Record<string, unknown> {
  const events = beats.map(({ device, at, ...beat }) => ({
    ...beat,
    device_id: device.device_id,
    occurred_at: clockOf(device, at),
  }));
  const [event] = events;
  const device = beats[0]?.device;
  const sent = device?.says_sent_at ? { sent_at: clockOf(device, now) } : {};
  return batch ? { ...sent, events } : { ...event, ...sent };
}

function clockOf({ skew_ms, iso_times }: Beat["device"], time: number): string | number {
  return iso_times ? new Date(time + skew_ms).toISOString() : time + skew_ms;
}

/** The next moment of the clock, once it has come: an event from the future would be moved to its arrival. */
async function momentAfter(last: number): Promise<number> {
  while (Date.now() <= last) await new Promise((resolve) => setTimeout(resolve, 1));
  return Date.now();
}

export type SendingViewer = { user_id: string; token: string };

export type SendDeps = PersistDeps & {
  edge: string;
  model: Model;
  /** Resolves when traffic may go on. */
  admit: () => Promise<void> | undefined;
  /** So many events were accepted. */
  onSent: (events: number) => void;
};
