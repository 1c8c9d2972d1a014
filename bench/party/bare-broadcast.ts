import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

/**
 * The least that a broadcast of Socket.IO costs between processes: the same transport, adapter, recovery and Redis as a
 * party's, and nothing else. No token, no room, nothing is kept. A process of its own.
 */
const redis = new Redis(process.env.REDIS_URL ?? "");
const server = createServer();
const io = new Server(server, {
  adapter: createAdapter(redis, { streamName: "bare", maxLen: 20_000, readCount: 200, onlyPlaintext: true }),
  transports: ["websocket"],
  connectionStateRecovery: {},
});
const parties = io.of("/parties");

parties.on("connection", (socket) => {
  socket.on("join", ({ party_id }: { party_id: string }, ack: (answer: object) => void) => {
    void socket.join(party_id);
    socket.data.party_id = party_id;
    ack({ ok: true });
  });
  socket.on("chat", ({ id, text }: { id: string; text: string }, ack: (answer: object) => void) => {
    parties.to(socket.data.party_id).emit("chat", { id, text });
    ack({ ok: true });
  });
});

server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once("SIGTERM", () => process.exit());
