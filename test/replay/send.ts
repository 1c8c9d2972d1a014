import type { Follower } from "./follow.ts";
import type { Model } from "./model.ts";
import { type PersistDeps, persist } from "./persist.ts";
import { look } from "./read.ts";
import { liveRequest, requestOf, type Sender } from "./requests.ts";
import { playSession } from "./session.ts";
import { type Delivery, eventsOf, type Step } from "./traffic.ts";

/**
 * Does what a viewer's devices do, one step after the other, and tells the model of everything that was accepted.
 *
 * What was not answered is sent again under the same event ids until it is accepted, so that the model knows
 * exactly what the service has promised to keep.
 *
 * @throws when something is refused for good: none of this traffic should be.
 */
export async function sendSteps(sender: Sender, steps: readonly Step[], deps: SendDeps): Promise<void> {
  const { edge, user_id, token } = sender;
  const { model, follower, admit, onSent } = deps;
  const history = `${edge}/users/${user_id}/watchhistory`;
  /** The latest moment at which something was forgotten, or happened live. */
  let last = 0;

  for (const step of steps) {
    await admit();
    switch (step.kind) {
      case "events":
        await Promise.all(step.together.map(deliver));
        break;
      case "live": {
        last = await momentAfter(last);
        await deliver({ kind: "beats", beats: [{ ...step.beat, at: last }], batch: false });
        break;
      }
      case "live deed":
        await doNow(step);
        break;
      case "session":
        await playSession(sender, step.session, {
          deps,
          async moment() {
            await admit();
            await momentAfter(last);
          },
          onReported(beat, late) {
            model.heard(user_id, beat, late);
            last = beat.at + late;
            onSent(1);
          },
        });
        break;
      case "read":
        await look(sender, step.view, deps);
        break;
      case "poll":
        await follower.poll(step.limit);
        break;
      case "forget":
        last = await remove(`${history}/${encodeURIComponent(step.content_id)}`);
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

  async function deliver(delivery: Delivery): Promise<void> {
    const { question, wanted } = requestOf(sender, delivery);
    const { answer, took } = await persist(question, wanted, deps);
    if (answer.body.includes("rejected")) throw new Error(`an event of a batch was rejected: ${answer.body}`);
    const late = ({ device }: { device: { skew_ms: number } }) => (device.skew_ms === 0 ? 0 : took);
    if (delivery.kind === "beats") {
      for (const beat of delivery.beats) model.heard(user_id, beat, late(beat));
    } else {
      const deeds = delivery.kind === "marks" ? delivery.marks : [delivery.dismissal];
      for (const deed of deeds) model.did(user_id, deed, late(deed));
    }
    onSent(eventsOf(delivery));
  }

  /** By the clock of the device, or of the server: then it is known only when the last attempt was under way. */
  async function doNow({ deed, told }: Extract<Step, { kind: "live deed" }>): Promise<void> {
    last = await momentAfter(last);
    const now = { ...deed, at: last };
    if (told) {
      await deliver(
        now.kind === "mark"
          ? { kind: "marks", marks: [now], batch: false }
          : { kind: "dismissal", dismissal: now },
      );
      return;
    }
    const { question, wanted } = liveRequest(sender, now);
    const { from, to } = await persist(question, wanted, deps);
    model.did(user_id, { ...now, at: from }, to - from);
    last = to;
    onSent(1);
  }

  /** @returns a moment at which it was forgotten already, and before which nothing else of this viewer happens. */
  async function remove(url: string): Promise<number> {
    await persist(() => ({ url, token, method: "DELETE" }), [204, 202], deps);
    return Date.now();
  }
}

/** The next moment of the clock, once it has come: an event from the future would be moved to its arrival. */
async function momentAfter(last: number): Promise<number> {
  while (Date.now() <= last) await new Promise((resolve) => setTimeout(resolve, 1));
  return Date.now();
}

export type SendDeps = PersistDeps & {
  model: Model;
  follower: Follower;
  /** Resolves when traffic may go on. */
  admit: () => Promise<void> | undefined;
  /** So many events were accepted. */
  onSent: (events: number) => void;
};
