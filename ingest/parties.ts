import { randomUUID } from "node:crypto";
import type { ServerType } from "@hono/node-server";
import type { VerifyToken } from "../db/contract/access.ts";
import type { UserId } from "../db/contract/ids.ts";
import type { Database } from "../db/postgres/connect.ts";
import type { NamelessId } from "../db/postgres/erase-parties.ts";
import type { HashOf } from "../db/postgres/erased.ts";
import { erasedUsers } from "../db/redis/keys.ts";
import type { Config } from "./config.ts";
import { withinReach } from "./library/within-reach.ts";
import type { Log } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import { attendParties } from "./party/attend.ts";
import { partyFinisher } from "./party/finish.ts";
import { partyFlusher } from "./party/flush.ts";
import { partyGateway } from "./party/gateway.ts";
import { listener } from "./party/hear.ts";
import { processLeases } from "./party/leases.ts";
import { memberName } from "./party/member-name.ts";
import { missedChat } from "./party/missed-chat.ts";
import { type Parties, partyLibrary } from "./party/parties.ts";
import { type PartyTraces, partyTraces } from "./party/party-traces.ts";
import { dueAt } from "./party/reduce.ts";
import type { Room } from "./party/room.ts";
import { roomStore } from "./party/room-store.ts";
import { partyRooms } from "./party/rooms.ts";
import { runSchedule } from "./party/schedule.ts";
import { markFlushed, type RefuseErased } from "./party/store-party.ts";
import { storeRecords } from "./party/store-records.ts";
import { partyTicker } from "./party/ticker.ts";
import { connectRedis } from "./redis.ts";
import { withinTime } from "./within-time.ts";

/** So much of one party does not wait for the time of its flush. */
const FLUSH_AT = 5_000;
/** Connections are let in once what is said is heard here; a start waits for that so long, and goes on all the same. */
const OPEN_TIMEOUT_MS = 2_000;

/**
 * Watch parties: REST, schedule, rooms and gateway. They need Postgres and the Redis of the stream. Two connections of
 * their own, so that nothing large is in the way of what is said.
 */
export function buildParties(config: Config, given: Given): PartyService {
  const { db, verifyToken, metrics, hashOf, nameless, refuseErased, log } = given;
  const process = randomUUID().slice(0, 8);
  const clock = Date.now;
  const redis = connectRedis(config.redis.stream);
  const bulk = connectRedis(config.redis.stream);
  const stopping = new AbortController();
  const store = { ...roomStore(bulk), ...talking(redis) };
  const flush = partyFlusher({
    ...{ store, log, metrics: metrics.party },
    keep: (records) => storeRecords(db, records, { hashOf, nameless }),
  });

  const ticker = partyTicker(clock, (party_id) => {
    rooms.tell(party_id, { type: "tick" }).catch(() => {});
  });
  const rooms = partyRooms({
    ...{ store, clock, newId: randomUUID, process, metrics: metrics.party, log, moved },
  });
  const parties = partyLibrary({
    ...{ db, rooms, clock, newId: randomUUID, capacity: config.parties.capacity, refuseErased, log },
    within: (asking) => withinReach(log, "the parties", asking),
  });
  const finish = partyFinisher({
    ...{ store, parties, flush, log },
    markFlushed: (party_id) => markFlushed(db, party_id, clock()),
  });

  /** What fails here is done by whoever looks after the party. */
  function moved(party_id: string, room: Room, buffered: number): void {
    if (stopping.signal.aborted) return;
    ticker.set(party_id, dueAt(room));
    if (room.ended) finish(party_id).catch(() => {});
    else if (buffered >= FLUSH_AT * shareOf(party_id)) flush(party_id).catch(() => {});
  }

  const isErased = async (user: UserId) => (await bulk.sismember(erasedUsers, hashOf(user))) === 1;
  const unheard = new Set<string>();
  const common = { rooms, unheard, process, clock, log, metrics: metrics.party };
  const gateway = partyGateway({
    ...{ ...common, redis: bulk, verifyToken, origins: config.parties.origins, stopping: stopping.signal },
    hear: listener({ ...common, parties, isErased, nameOf: memberName(db, log) }),
    isErased,
    missedChat: missedChat(db, rooms),
  });
  const leases = processLeases(bulk, { process, clock });

  async function flushAll(): Promise<boolean> {
    const outcomes = await Promise.allSettled((await store.all()).map(flush));
    return outcomes.every(({ status }) => status === "fulfilled");
  }

  return {
    library: parties,
    traces: partyTraces({ redis: bulk, store, rooms, flush }),

    attach: gateway.attach,

    async open() {
      const deadline = performance.now() + OPEN_TIMEOUT_MS;
      while (performance.now() < deadline) if (await gateway.open().catch(() => false)) return;
      log.warn("parties wait for Redis: nobody can connect to them yet");
    },

    async work(signal) {
      const attending = { ...common, store, leases, finish, flush };
      const { members, open } = gateway;
      await Promise.all([
        attendParties({ ...attending, members, open, flushEveryMs: config.parties.flushEveryMs }, signal),
        runSchedule({ db, rooms, parties, clock, log }, signal),
      ]);
    },

    async leave() {
      const served = new Set(gateway.members().flatMap(({ party_id }) => party_id ?? []));
      stopping.abort();
      ticker.stop();
      await gateway.close();
      const lost = [...served].map((party_id) => rooms.tell(party_id, { type: "gone", process }));
      await Promise.allSettled(lost);
      await leases.forget(process).catch(() => {});
      if (!(await withinTime(flushAll(), config.parties.shutdownFlushMs))) {
        log.warn("what was said in parties is not all in Postgres: it waits in Redis");
      }
    },

    async close() {
      await gateway.close();
      for (const connection of [redis, bulk]) connection.disconnect();
    },
  };

  /** What members wait for has its own connection. */
  function talking(connection: typeof redis) {
    const { open, load, advance } = roomStore(connection);
    return { open, load, advance };
  }
}

/** From a half to the whole, the same for a party each time: those that began together are not flushed together. */
function shareOf(party_id: string): number {
  let sum = 0;
  for (let at = 0; at < party_id.length; at++) sum = (sum * 31 + party_id.charCodeAt(at)) % 1_000;
  return 0.5 + sum / 2_000;
}

type Given = {
  db: Database;
  verifyToken: VerifyToken;
  metrics: Metrics;
  hashOf: HashOf;
  nameless: NamelessId;
  refuseErased: RefuseErased;
  log: Log;
};

export type PartyService = {
  library: Parties;
  /** What there is of a user, to be exported or erased. */
  traces: PartyTraces;
  /** Takes connections of members on a server that listens. */
  attach: (server: ServerType) => void;
  /** Lets members in. */
  open: () => Promise<void>;
  /** Keeps the schedule and looks after rooms, until the signal. */
  work: (signal: AbortSignal) => Promise<void>;
  /** Lets go of everybody, and brings to Postgres what it can in the time that it has. */
  leave: () => Promise<void>;
  close: () => Promise<void>;
};
