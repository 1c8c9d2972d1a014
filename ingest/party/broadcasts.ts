import type { UserId } from "../../db/contract/ids.ts";
import type { Room, RoomMessage, Send } from "./room.ts";

export const NAMESPACE = "/parties";

/** Kinds of messages between the adapters of Socket.IO, by their numbers there. */
const BROADCAST = 3;
const SOCKETS_JOIN = 4;
const SOCKETS_LEAVE = 5;
const DISCONNECT_SOCKETS = 6;
/** An event, in the protocol of Socket.IO. */
const EVENT = 2;

/** A message in the format of the streams adapter of Socket.IO; `by` and `asked` are for our own measure. */
export type Broadcast = {
  namespace: string;
  type: number;
  /** JSON. */
  data: string;
  /** The process that says it. */
  by: string;
  /** When it was asked to, in epoch milliseconds. */
  asked: number;
};

/** The Socket.IO room of a party. */
export function partyChannel(party_id: string): string {
  return `party ${party_id}`;
}

/** The Socket.IO room of one member of a party, with all of the member's connections. */
export function memberChannel(party_id: string, user_id: UserId): string {
  return `party ${party_id} ${user_id}`;
}

/**
 * What the processes pass on, in this order: who comes is in the party's channel before anything is said that they are
 * to hear, and who goes hears of it. Because all of it is in one stream, nobody hears two things in different orders.
 */
export function broadcastsOf(
  party_id: string,
  before: Room,
  message: RoomMessage,
  sends: readonly Send[],
  its: { by: string; asked: number },
): Broadcast[] {
  const said: Broadcast[] = [];
  const add = (type: number, data: object) =>
    said.push({ namespace: NAMESPACE, type, data: JSON.stringify(data), ...its });

  if (message.type === "join") {
    const rooms = [partyChannel(party_id), memberChannel(party_id, message.user_id)];
    add(SOCKETS_JOIN, { opts: to(socketOf(message.connection)), rooms });
  }
  for (const { event, data, to: connection } of sends) {
    const packet = { type: EVENT, data: [event, data], nsp: NAMESPACE };
    add(BROADCAST, { packet, opts: to(connection ? socketOf(connection) : partyChannel(party_id)) });
  }
  if (message.type === "forget") {
    // By the names of the connections: what is said here names nobody.
    for (const { id, user_id } of before.connections) {
      if (user_id === message.user_id) add(DISCONNECT_SOCKETS, { opts: to(socketOf(id)), close: true });
    }
    return said;
  }
  for (const { id, user_id } of before.connections) {
    const goes =
      (message.type === "leave" && message.connection === id) ||
      (message.type === "kick" && message.user_id === user_id);
    if (!goes) continue;
    const rooms = [partyChannel(party_id), memberChannel(party_id, user_id)];
    add(SOCKETS_LEAVE, {
      opts: to(message.type === "leave" ? socketOf(id) : memberChannel(party_id, user_id)),
      rooms,
    });
    break;
  }
  return said;
}

/** The name of a connection, wherever it is served. */
export function connectionName(process: string, socket: string): string {
  return `${process}:${socket}`;
}

function socketOf(connection: string): string {
  return connection.slice(connection.indexOf(":") + 1);
}

function to(channel: string) {
  return { rooms: [channel], except: [], flags: {} };
}
