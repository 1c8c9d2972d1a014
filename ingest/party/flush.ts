import type { StoredPartyRecord } from "../../db/contract/party-records.ts";
import { isPoison } from "../../db/postgres/outcome.ts";
import type { Log } from "../observe/log.ts";
import type { PartyMetrics } from "../observe/metrics-party.ts";
import { lanes } from "./lanes.ts";
import type { RoomStore } from "./room-store.ts";
import { storeSound } from "./store-sound.ts";

/** Records of one transaction. */
const BATCH = 250;
/** Parties that are flushed at the same time: Postgres has more to do. */
const AT_ONCE = 2;

/**
 * Brings to Postgres what waits of a party, batch by batch, until nothing does. A batch is let go of once it is
 * committed: a crash before that brings it again, which changes nothing. Several may do so at once, and nobody waits for
 * anybody. Within a process one flush of a party follows the other.
 *
 * @throws in an outage: what waits is kept.
 */
export function partyFlusher(deps: FlushDeps): (party_id: string) => Promise<void> {
  const { store, keep, metrics, log } = deps;
  const running = new Map<string, Promise<void>>();
  const inLane = lanes(AT_ONCE);

  async function flush(party_id: string): Promise<void> {
    if ((await store.buffered(party_id, 1)).length === 0) return;
    log.info({ party_id }, "flush started");
    try {
      const items = await metrics.flush(() => drain(party_id));
      log.info({ party_id, items }, "flush succeeded");
    } catch (error) {
      log.error({ error, party_id }, "flush failed: what waits is kept, and flushed again");
      throw error;
    }
  }

  async function drain(party_id: string): Promise<number> {
    for (let items = 0; ; ) {
      const waiting = await store.buffered(party_id, BATCH);
      const last = waiting.at(-1);
      if (last === undefined) return items;
      const poison = await storeSound(waiting, keep, isPoison);
      await store.settle(party_id, last.id, poison);
      for (const { reason } of poison) log.error({ party_id, reason }, "quarantined");
      items += waiting.length - poison.length;
    }
  }

  return async function flushParty(party_id) {
    const before = running.get(party_id)?.catch(() => {});
    const own = (before ?? Promise.resolve()).then(() => inLane(() => flush(party_id)));
    running.set(party_id, own);
    try {
      await own;
    } finally {
      if (running.get(party_id) === own) running.delete(party_id);
    }
  };
}

export type FlushDeps = {
  store: Pick<RoomStore, "buffered" | "settle">;
  /** Stores records in Postgres, all or none. */
  keep: (records: readonly StoredPartyRecord[]) => Promise<void>;
  metrics: Pick<PartyMetrics, "flush">;
  log: Log;
};
