import type { ServerType } from "@hono/node-server";
import type { Redis } from "ioredis";
import { type Namespace, Server } from "socket.io";
import type { VerifyToken } from "../../db/contract/access.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { Refusal } from "../../db/contract/refusals.ts";
import type { PartyMetrics } from "../observe/metrics-party.ts";
import { type Admitted, admitted, mayConnect, refusedHandshake } from "./admit.ts";
import { NAMESPACE } from "./broadcasts.ts";
import { type ConnectionDeps, type PartySocket, serveConnection } from "./connection.ts";
import type { Member } from "./hear.ts";
import { streamsAdapter } from "./streams-adapter.ts";

/** What is larger is no message; whoever sends it is cut. */
const MAX_MESSAGE_BYTES = 65_536;
/** A connection that is lost for no longer gets what it missed. */
const RECOVERABLE_MS = 120_000;
/** A user has some devices, and each may be about to come back. */
const MAX_CONNECTIONS_OF_USER = 20;
/** How long closing connections are waited for. */
const CLOSING_MS = 500;
const HEARTBEAT = { pingInterval: 10_000, pingTimeout: 10_000, connectTimeout: 10_000 };

/**
 * Where members of parties connect: Socket.IO over WebSocket, in the namespace `/parties`. Any number of processes,
 * joined by a stream in Redis: everybody hears the same in the same order, whoever serves them.
 */
export function partyGateway(deps: GatewayDeps): Gateway {
  const { origins, verifyToken, stopping } = deps;
  const { adapter, listens } = streamsAdapter(deps.redis, deps);
  const members = new Map<string, Member>();
  const connectionsOf = new Map<UserId, number>();
  const handshakes = new WeakMap<object, Admitted>();
  const pipes = new Set<{ destroy(): void }>();
  let attached = false;
  let closed = false;
  let open = false;

  const io = new Server({
    ...{ ...HEARTBEAT, adapter, transports: ["websocket"], serveClient: false, allowUpgrades: false },
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    // The token of a recovered connection is looked at once it is in: while it waited it would miss what is said.
    connectionStateRecovery: { maxDisconnectionDuration: RECOVERABLE_MS, skipMiddlewares: true },
    // Who cannot be told anything yet comes again.
    allowRequest: (request, answer) =>
      answer(null, open && !stopping.aborted && mayConnect(request, origins)),
  });
  const parties: Namespace = io.of(NAMESPACE);

  io.use((_, next) => next(refusedHandshake(new Refusal("not_found", `only ${NAMESPACE} is here`))));

  parties.use((socket, next) => {
    admitted(verifyToken, socket.handshake.auth).then(
      (its) => {
        const { user_id } = its.viewer;
        if ((connectionsOf.get(user_id) ?? 0) >= MAX_CONNECTIONS_OF_USER) {
          return next(refusedHandshake(new Refusal("rate_limited", "too many connections")));
        }
        handshakes.set(socket, its);
        socket.data = { user_id, party_id: null, name: null };
        next();
      },
      (error: unknown) => next(refusedHandshake(error)),
    );
  });

  async function entering(socket: PartySocket): Promise<Admitted> {
    const its = handshakes.get(socket) ?? (await admitted(verifyToken, socket.handshake.auth));
    if (its.viewer.user_id !== socket.data.user_id)
      throw new Refusal("unauthorized", "somebody else's connection");
    return its;
  }

  parties.on("connection", (socket: PartySocket) => {
    const member = serveConnection(deps, socket, entering(socket));
    const { user_id } = member.viewer;
    members.set(socket.id, member);
    connectionsOf.set(user_id, (connectionsOf.get(user_id) ?? 0) + 1);
    socket.on("disconnect", () => {
      members.delete(socket.id);
      const left = (connectionsOf.get(user_id) ?? 1) - 1;
      if (left > 0) connectionsOf.set(user_id, left);
      else connectionsOf.delete(user_id);
    });
  });

  return {
    members: () => [...members.values()],

    attach(server) {
      attached = true;
      io.attach(server);
      io.engine.on("connection", (connection: PartySocket["conn"]) => {
        const { socket } = connection.request;
        pipes.add(socket);
        connection.once("close", () => pipes.delete(socket));
      });
    },

    async open() {
      open ||= await listens();
      return open;
    },

    async close() {
      if (closed) return;
      closed = true;
      open = false;
      // As if the line had broken: clients go to another process, and get there what they missed.
      if (attached) io.engine.close();
      await until(() => members.size === 0, CLOSING_MS);
      for (const pipe of pipes) pipe.destroy();
      for (const namespace of [parties, io.of("/")]) namespace.adapter.close();
    },
  };
}

async function until(fact: () => boolean, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (!fact() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
}

export type Gateway = {
  /** Who is connected here. */
  members: () => Member[];
  attach: (server: ServerType) => void;
  /** Lets connections in once everything that is said is heard here. @returns whether it is; to be asked until then. */
  open: () => Promise<boolean>;
  /** Lets go of all connections. */
  close: () => Promise<void>;
};

export type GatewayDeps = ConnectionDeps & {
  redis: Redis;
  verifyToken: VerifyToken;
  /** Whose pages may connect. */
  origins: readonly string[];
  metrics: Pick<PartyMetrics, "broadcast">;
  /** Was somebody erased, and is not accepted again? */
  isErased: (user: UserId) => Promise<boolean>;
};
