import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { Export } from "../../db/contract/privacy.ts";
import { sessionView } from "../../db/contract/sessions.ts";
import type { Database } from "../../db/postgres/connect.ts";
import { rest } from "../keep-trying.ts";
import type { PartyTraces } from "../party/party-traces.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { EventStream } from "../stream.ts";
import { loadProfile } from "../views/load-profile.ts";
import { exportText } from "./export-text.ts";
import {
  exportedHistory,
  exportedPlays,
  exportedRatings,
  exportedSettings,
  exportedWatchlist,
} from "./load-export.ts";
import { exportedLikes, exportedLogs, exportedMessages, exportedParties } from "./load-party-export.ts";
import { quarantinedOf } from "./quarantined.ts";

/** An export waits so long for what was accepted before it to be stored. */
const WAIT_MS = 1_500;
const LOOK_EVERY_MS = 25;

/**
 * Everything that is kept of a user, as one JSON document that is read while it is sent. Of who was erased there is
 * nothing. What is derived is left out: views, and domain events on their way.
 *
 * What cannot be read at all is found out before the first byte; a store that goes away later breaks the document off.
 */
export function exporter({ db, redis, stream, sessions, parties, isErased, clock }: ExporterDeps) {
  return async function exportOf(user: UserId): Promise<AsyncGenerator<Uint8Array>> {
    const up_to_date = await stored();
    const nobody = await isErased(user);
    if (!nobody) await parties().settle(user);
    const profile = nobody ? null : (await loadProfile(db, user)).found;
    const history_settings = await exportedSettings(db, user);
    const live = nobody ? [] : await sessions.known(user);
    const parts = {
      ...{ user_id: user, exported_at: new Date(clock()).toISOString(), up_to_date, profile },
      history_settings: nobody ? NO_SETTINGS : history_settings,
      watchlist: nobody ? [] : exportedWatchlist(db, user),
      ratings: nobody ? [] : exportedRatings(db, user),
      history: nobody ? [] : exportedHistory(db, user),
      plays: nobody ? [] : exportedPlays(db, user),
      sessions: live.map(({ id, known }) =>
        known.state === "live" ? sessionView(known.session) : { id, ended: true },
      ),
      parties: nobody ? [] : exportedParties(db, user),
      party_messages: nobody ? [] : exportedMessages(db, user),
      party_likes: nobody ? [] : exportedLikes(db, user),
      party_logs: nobody ? [] : exportedLogs(db, user),
      quarantine: nobody ? [] : bothOf(quarantinedOf(redis, user), parties().quarantined(user)),
    } satisfies Record<keyof Export, unknown>;
    return exportText(Object.entries(parts));
  };

  /** Is everything stored that was accepted before now? */
  async function stored(): Promise<boolean> {
    const newest = await stream.newest();
    const deadline = clock() + WAIT_MS;
    for (;;) {
      if (await stream.isDrained(newest)) return true;
      if (clock() >= deadline) return false;
      await rest(LOOK_EVERY_MS, NEVER);
    }
  }
}

async function* bothOf(...lists: AsyncIterable<readonly unknown[]>[]): AsyncGenerator<readonly unknown[]> {
  for (const list of lists) yield* list;
}

const NEVER = new AbortController().signal;
const NO_SETTINGS: Export["history_settings"] = { cleared_at: null, pauses: [] };

export type ExporterDeps = {
  db: Database;
  /** The one of the stream. */
  redis: Redis;
  stream: Pick<EventStream, "newest" | "isDrained">;
  sessions: Pick<SessionStore, "known">;
  parties: () => Pick<PartyTraces, "settle" | "quarantined">;
  isErased: (user: UserId) => Promise<boolean>;
  clock: () => number;
};
