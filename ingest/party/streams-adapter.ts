import { createAdapter } from "@socket.io/redis-streams-adapter";
import type { Redis } from "ioredis";
import type { Namespace } from "socket.io";
import type { UserId } from "../../db/contract/ids.ts";
import { partyBroadcasts, partyLost, partyLostConnection, partyLostPrefix } from "../../db/redis/keys.ts";
import type { PartyMetrics } from "../observe/metrics-party.ts";
import { NAMESPACE } from "./broadcasts.ts";
import { compareOffsets, exactSession, type Passed } from "./exact-session.ts";

/** Shorter than the time after which a connection gives up a command. */
const BLOCK_MS = 1_000;
const READ_AT_ONCE = 200;
const KEPT = 20_000;
/** An entry that means nothing to an adapter: a heartbeat. */
const NOTHING = "2";
/** Longer than any connection is remembered. */
const LOST_MS = 300_000;

/**
 * The streams adapter of Socket.IO as we want it: everything that rooms say goes through the stream, to this process as
 * well, so a recovered connection must get each thing once, whether it was said before or while it was recovered.
 */
export function streamsAdapter(
  redis: Redis,
  { process, clock, metrics, isErased }: AdapterDeps,
): PartyAdapter {
  const make = createAdapter(redis, {
    streamName: partyBroadcasts,
    channelPrefix: "wp:sockets",
    sessionKeyPrefix: partyLostPrefix,
    maxLen: KEPT,
    readCount: READ_AT_ONCE,
    blockTimeInMs: BLOCK_MS,
    onlyPlaintext: true,
  });
  const recovering = new Set<Passed[]>();
  let last = "0-0";

  function adapter(namespace: Namespace) {
    const its = make(namespace);
    const pass = its.onRawMessage.bind(its);
    const restore = its.restoreSession.bind(its);
    const persist = its.persistSession.bind(its);

    its.onRawMessage = (message: Said, offset: string) => {
      last = offset;
      for (const passed of recovering) passed.push({ offset, ...message });
      pass(message, offset);
      if (message.by === process && message.asked !== undefined && message.type === "3") {
        metrics.broadcast(Math.max(0, clock() - Number(message.asked)));
      }
    };

    its.persistSession = (session: Lost) => {
      // What cannot be said expires.
      remember(session, () => persist(session)).catch(() => {});
    };

    its.restoreSession = async (pid, offset) => {
      const passed: Passed[] = [];
      recovering.add(passed);
      try {
        return exactSession(await restore(pid, offset), { passed, after: offset, last });
      } finally {
        recovering.delete(passed);
      }
    };
    return its;
  }

  /**
   * First that there is something of the user, then what, so that an erasure finds it; at once, for its client may be
   * back soon. Of who was erased nothing stays.
   */
  async function remember({ pid, data: { user_id } }: Lost, persist: () => void): Promise<void> {
    const told = redis.multi().sadd(partyLost(user_id), pid).pexpire(partyLost(user_id), LOST_MS).exec();
    persist();
    await told;
    if (await isErased(user_id)) await redis.del(partyLost(user_id), partyLostConnection(pid));
  }

  /** The reader begins where the stream ends: it is there once it has seen something that was written since. */
  async function listens(): Promise<boolean> {
    const entry = ["uid", "emitter", "nsp", NAMESPACE, "type", NOTHING];
    const id = await redis.xadd(partyBroadcasts, "MAXLEN", "~", KEPT, "*", ...entry);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return compareOffsets(last, id ?? "") >= 0;
  }

  return { adapter, listens };
}

type Said = { uid: string; nsp: string; type: string; data?: string; by?: string; asked?: string };

type Lost = { pid: string; data: { user_id: UserId } };

type AdapterDeps = {
  process: string;
  clock: () => number;
  metrics: Pick<PartyMetrics, "broadcast">;
  isErased: (user: UserId) => Promise<boolean>;
};

export type PartyAdapter = {
  adapter: (namespace: Namespace) => ReturnType<ReturnType<typeof createAdapter>>;
  /** Whether what is said is heard here; to be asked until it is. */
  listens: () => Promise<boolean>;
};
