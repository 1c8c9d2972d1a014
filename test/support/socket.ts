import { connect } from "node:net";
import { until } from "./until.ts";

/** A TCP connection to a server, for what no HTTP client would do. What it hears, and when it is closed. */
export function openSocket(url: string): RawSocket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const its = { heard: "", closed: false };
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    its.heard += chunk.toString("latin1");
  });
  socket.on("close", () => {
    its.closed = true;
  });
  // A server that hangs up while we send is what this is for.
  socket.on("error", () => {});

  return {
    say: (text) => void (its.closed || socket.write(text)),
    heard: () => its.heard,
    status: () => Number(/^HTTP\/1\.1 (\d{3})/.exec(its.heard)?.[1] ?? Number.NaN),
    isClosed: () => its.closed,
    closed: async (timeout) => {
      await until(() => its.closed, { timeout, what: "the server to close the connection" });
    },
    hangUp: () => void socket.destroy(),
  };
}

export type RawSocket = {
  say: (text: string) => void;
  heard: () => string;
  /** Of its first answer; NaN while there is none. */
  status: () => number;
  isClosed: () => boolean;
  /** Waits until the other side has closed it. */
  closed: (timeout: number) => Promise<void>;
  hangUp: () => void;
};
