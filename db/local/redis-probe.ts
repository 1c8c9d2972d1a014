import { connect } from "node:net";

/**
 * Asks a Redis on loopback whether it answers and which modules it has.
 *
 * One that wants a password answers, too: only its modules stay unknown.
 */
export function redisAnswers(port: number, timeout = 5_000): Promise<{ search: boolean }> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\nMODULE LIST\r\nQUIT\r\n"));
    socket.setTimeout(timeout, () =>
      socket.destroy(new Error(`Redis on port ${port} accepted but said nothing`)),
    );
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.once("error", reject);
    socket.once("close", () => {
      if (/^(\+PONG|-NOAUTH)/.test(heard)) resolve({ search: /\r\n(ft|search)\r\n/.test(heard) });
      else reject(new Error(`Redis on port ${port} answered PING with: ${heard || "nothing"}`));
    });
  });
}
