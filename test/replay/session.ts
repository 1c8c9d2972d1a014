import type { Beat } from "./beat.ts";
import type { SessionPlan } from "./ending.ts";
import type { PersistDeps } from "./persist.ts";
import { persist } from "./persist.ts";
import type { Sender } from "./requests.ts";

/**
 * Plays a session: begins it, reports, and ends it. A beginning that was cut may have left another session behind, of
 * which nothing was reported: it ends without a trace.
 *
 * A report becomes an event at the time of its arrival, which is known only as the time of its last attempt: what came
 * of earlier ones says the same, and is older.
 *
 * @param options.moment waits for one that is after all that has happened.
 * @param options.onReported is told of each report as a beat, and how much later it may have arrived.
 */
export async function playSession(sender: Sender, plan: SessionPlan, options: SessionOptions): Promise<void> {
  const { edge, token, user_id } = sender;
  const { content_id, duration, device, reports, ends } = plan;
  const { deps, moment, onReported } = options;
  const sessions = `${edge}/api/v1/sessions`;

  const input = { user_id, content_id, device_id: device.device_id, duration_seconds: duration };
  const begun = await persist(
    () => ({ url: sessions, token, method: "POST", body: { ...input, quality: "1080p" } }),
    [201],
    deps,
  );
  const { id } = JSON.parse(begun.answer.body) as { id: string };
  const url = `${sessions}/${encodeURIComponent(id)}`;

  for (const [index, { position, state }] of reports.entries()) {
    await moment();
    const body = { position_seconds: position, ...(state === null ? {} : { playback_state: state }) };
    const patch = () => ({ url: `${url}/position`, token, method: "PATCH", body }) as const;
    const { answer, from, to } = await persist(patch, [200, 202], deps);
    const { position_seconds } = JSON.parse(answer.body) as { position_seconds: number };
    if (position_seconds !== position)
      throw new Error(`${url} is at ${position_seconds}, not at ${position}`);
    onReported(
      {
        ...{ event_id: `${id}.${index}`, device, at: from, content_id, catalog_id: null },
        ...{ playback_time: position, duration, action: state === "ended" ? "finish" : null, play_id: id },
      },
      to - from,
    );
  }
  if (ends) await persist(() => ({ url, token, method: "DELETE" }), [204], deps);
}

export type SessionOptions = {
  deps: PersistDeps;
  moment: () => Promise<unknown>;
  onReported: (beat: Beat, late: number) => void;
};
