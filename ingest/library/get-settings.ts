import { pausedSince } from "../../db/contract/pauses.ts";
import { checked } from "../../db/contract/refusals.ts";
import { UserPath } from "../../db/contract/requests.ts";
import type { HistorySettings } from "../../db/contract/views.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** Whether the history is paused. */
export function getSettings({ loadPauses, clock }: IngestDeps): IngestHandler {
  return async function getSettings(c) {
    const { user_id } = checked(UserPath, c.req.param());

    const since = pausedSince(await loadPauses(user_id), clock());
    const settings: HistorySettings = {
      paused: since !== null,
      paused_since: since === null ? null : new Date(since).toISOString(),
    };
    return c.json(settings, 200, { "cache-control": "private, no-store", vary: "Authorization, Origin" });
  };
}
