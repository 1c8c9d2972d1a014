import { createServer, type Server } from "node:http";
import { connectBackend } from "./backend.ts";
import { type DoorRequest, doorHandler } from "./handler.ts";
import { bearerCheck } from "./token.ts";

export interface DoorOptions {
  /** The Redis behind the door; its user, if the URL names one, decides what callers may touch. */
  redisUrl: string;
  token: string;
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  /** Sees each request that is about to reach Redis. */
  onRequest?: (request: DoorRequest) => void;
  /** Hears of a lost Redis, once per outage, and of faults of the door itself. */
  onError?: (error: unknown) => void;
}

export interface Door {
  url: string;
  port: number;
  /** How many HTTP requests have reached Redis: the round trips a client has made. */
  requests(): number;
  /** Lets what is under way finish, then lets go of everything. May be called again. */
  stop(): Promise<void>;
}

/**
 * Opens an Upstash-compatible HTTP door to a plain Redis.
 *
 * Resolves when it listens. A Redis that cannot be reached yet does not stop it: until it can be, commands are
 * answered 503.
 */
export async function startDoor(options: DoorOptions): Promise<Door> {
  const { redisUrl, token, host = "127.0.0.1", port = 0, onRequest, onError = () => {} } = options;
  const isAllowed = bearerCheck(token);
  const backend = connectBackend(redisUrl, onError);
  let requests = 0;

  const handle = doorHandler({
    backend,
    isAllowed,
    onRequest(request) {
      requests += 1;
      onRequest?.(request);
    },
    onError,
  });
  const server = createServer({ keepAliveTimeout: 65_000, headersTimeout: 66_000 }, (req, res) => {
    void handle(req, res);
  });

  const bound = await listen(server, port, host);
  await backend.connect().catch(() => {}); // onError has heard why, and the connection is tried again

  let stopping: Promise<void> | undefined;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    requests: () => requests,
    stop() {
      stopping ??= close(server).finally(() => backend.close());
      return stopping;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

/** No command takes longer than a second, so whatever is still open after two is not worth waiting for. */
function close(server: Server): Promise<void> {
  const impatience = setTimeout(() => server.closeAllConnections(), 2_000).unref();
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(impatience);
      resolve();
    });
  });
}
