import type { Socket as Plain } from "socket.io";
import type { UserId } from "../../db/contract/ids.ts";
import type { PartyEvents } from "../../db/contract/party-messages.ts";
import type { Log } from "../observe/log.ts";
import type { Admitted } from "./admit.ts";
import { connectionName } from "./broadcasts.ts";
import type { Answer, listener, Member } from "./hear.ts";
import type { MissedChat } from "./missed-chat.ts";
import { fullPatience, strain } from "./patience.ts";
import { rejoin } from "./rejoin.ts";
import type { Rooms } from "./rooms.ts";

/** Packets that wait for a client that does not read; past it the client is cut. */
const MAX_UNREAD = 1_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Of an event that does not exist so much is repeated. */
const MAX_EVENT_NAME = 64;

/** What a connection is remembered by while it is lost: plain, for it is kept in Redis. */
export type SocketData = Pick<Member, "party_id" | "name"> & { user_id: UserId };
type Events = Record<string, (...its: unknown[]) => void>;
export type PartySocket = Plain<Events, Events, Record<string, never>, SocketData>;

/**
 * Serves one connection from its beginning to its end.
 *
 * @param entering who comes; rejects when that may not be. Nothing is heard before that is known.
 * @returns the member that it is of.
 */
export function serveConnection(
  deps: ConnectionDeps,
  socket: PartySocket,
  entering: Promise<Admitted>,
): Member {
  const { hear, rooms, clock, process, stopping } = deps;
  const { user_id, party_id, name } = socket.data;
  const connection = connectionName(process, socket.id);
  const member: Member = { connection, viewer: { user_id, roles: [] }, party_id, name };
  const patience = fullPatience(clock());
  let expiry: NodeJS.Timeout | undefined;

  async function enter(): Promise<void> {
    const { viewer, until } = await entering;
    member.viewer = viewer;
    // Its client comes again with another token, and is where it was.
    expiry = setTimeout(() => socket.conn.close(), Math.min(until - clock(), LONGEST_TIMER_MS));
    if (socket.recovered) await rejoin(rooms, member).catch(() => {});
  }

  /** Whoever is about to enter or to join is not heard before that. */
  let busy: Promise<unknown> = enter().catch(() => socket.disconnect(true));

  async function answer(event: string, input: unknown): Promise<Answer> {
    const answered = await hear(member, event, input);
    if (event === "join" && "ok" in answered) await tellMissed();
    return answered;
  }

  /** Socket.IO's own recovery knows nothing of a connection whose process died; its client says what it heard last. */
  async function tellMissed(): Promise<void> {
    const last: unknown = socket.handshake.auth.offset;
    socket.handshake.auth.offset = undefined;
    if (socket.recovered || typeof last !== "string" || member.party_id === null) return;
    const since = Number(/^(\d{1,15})-\d+$/.exec(last)?.[1] ?? Number.NaN);
    if (Number.isNaN(since)) return;
    try {
      for (const chat of await deps.missedChat(member.party_id, since)) tell("chat", chat);
    } catch (error) {
      deps.log.warn({ error }, "what a member missed cannot be read");
    }
  }

  /** Told by this process alone: it is for nobody else, and not worth remembering. */
  function tell<Name extends keyof PartyEvents>(event: Name, data: PartyEvents[Name]): void {
    socket.nsp.local.to(socket.id).emit(event, data);
  }

  socket.onAny((event: string, ...its: unknown[]) => {
    const [input, ack] = typeof its[0] === "function" ? [undefined, its[0]] : its;
    const say = (answer: Answer) => {
      if (typeof ack === "function") ack(answer);
      if (!("refused" in answer)) return;
      const { refused: code, errors } = answer;
      tell("refused", { event: event.slice(0, MAX_EVENT_NAME), code, ...(errors ? { errors } : {}) });
    };
    const strained = strain(patience, clock());
    if (strained !== "heard") say({ refused: "too_fast" });
    if (strained === "cut") socket.disconnect(true);
    if (strained !== "heard") return;
    const answered = busy.then(() => answer(event, input)).then(say);
    if (event === "join" || event === "leave") busy = answered;
  });

  // Before it is kept for whoever comes back.
  socket.on("disconnecting", () => {
    socket.data = { user_id, party_id: member.party_id, name: member.name };
  });
  socket.on("disconnect", () => {
    clearTimeout(expiry);
    void busy.then(() => {
      const { party_id } = member;
      if (party_id === null || stopping.aborted) return;
      rooms.tell(party_id, { type: "lost", connection }).catch(() => deps.unheard.add(party_id));
    });
  });
  cutWhenUnread(socket);
  return member;
}

function cutWhenUnread({ conn }: PartySocket): void {
  let unread = 0;
  conn.on("packetCreate", () => {
    if (++unread > MAX_UNREAD) conn.request.socket.destroy();
  });
  conn.on("flush", () => {
    unread = 0;
  });
}

export type ConnectionDeps = {
  hear: ReturnType<typeof listener>;
  rooms: Pick<Rooms, "tell">;
  missedChat: MissedChat;
  /** Parties whose rooms may know connections of this process that are no more. */
  unheard: Set<string>;
  clock: () => number;
  /** The name of this process. */
  process: string;
  log: Log;
  stopping: AbortSignal;
};
