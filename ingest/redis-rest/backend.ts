import { Redis, ReplyError } from "ioredis";
import type { Command } from "./commands.ts";
import { Refused } from "./refused.ts";
import type { Reply } from "./reply.ts";

export interface Backend {
  connect(): Promise<void>;
  one(command: Command): Promise<Reply>;
  many(commands: Command[]): Promise<Reply[]>;
  /** All or nothing. An Error means Redis discarded the transaction: none of it ran. */
  atomically(commands: Command[]): Promise<Reply[] | Error>;
  close(): void;
}

/**
 * One connection to a plain Redis, shared by all requests.
 *
 * Nothing waits for a Redis that is away: a command is refused at once while there is no connection, and given
 * up after a second. Nothing is sent twice: what was under way when the connection broke may have run, and
 * the caller is told so. The connection comes back by itself.
 *
 * @param onLoss called once per outage, with the first thing that went wrong.
 */
export function connectBackend(redisUrl: string, onLoss: (error: Error) => void): Backend {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    socketTimeout: 5_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 50, 500),
    // INFO and CLIENT SETINFO are not for the restricted user the door may connect as
    enableReadyCheck: false,
    disableClientInfo: true,
  });

  const user = userOf(redisUrl);
  let away = false;
  let admission: Promise<void> = Promise.resolve();
  let admitted = false;
  let mayTransact = false;
  redis.on("ready", () => {
    away = false;
    admission = admit();
  });
  redis.on("close", () => {
    admitted = false;
    mayTransact = false;
  });
  redis.on("error", (error: Error) => {
    if (!away) onLoss(error);
    away = true;
  });

  /**
   * A wrong password leaves the connection with the default user, who may do anything, until ioredis gives it up:
   * nobody else's command is sent before Redis has said whose connection it is.
   */
  async function admit(): Promise<void> {
    try {
      const its = user === null ? null : await redis.call("ACL", "WHOAMI");
      admitted = its === user;
    } catch (error) {
      if (error instanceof Error) onLoss(error);
    }
  }

  function demandConnection(): void {
    if (redis.status !== "ready" || !admitted) {
      throw new Refused(503, "ERR no connection to Redis: nothing of this request was sent");
    }
  }

  async function many(commands: Command[]): Promise<Reply[]> {
    demandConnection();
    const pipeline = redis.pipeline();
    for (const { name, args } of commands) pipeline.callBuffer(name, args);
    const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => error ?? (reply as Reply));
    if (replies.every(isLost)) throw unanswered();
    return replies.map((reply) => (isLost(reply) ? unanswered() : reply));
  }

  /** Were MULTI refused, what follows it would run one by one: so an empty transaction goes first, once a connection. */
  async function transactionRefusal(): Promise<Error | null> {
    if (mayTransact) return null;
    const [multi] = await many([MULTI, EXEC]);
    if (multi instanceof Error) return multi;
    mayTransact = true;
    return null;
  }

  return {
    async connect() {
      await redis.connect();
      await admission;
    },
    async one({ name, args }) {
      demandConnection();
      try {
        return (await redis.callBuffer(name, args)) as Reply;
      } catch (error) {
        if (error instanceof ReplyError) return error as Error;
        throw unanswered();
      }
    },
    many,
    /** MULTI to EXEC leave in one write, so no other request's command gets between them. */
    async atomically(commands) {
      const refused = await transactionRefusal();
      if (refused) return refused;
      const exec = (await many([MULTI, ...commands, EXEC])).at(-1);
      if (exec instanceof Refused) throw exec;
      if (exec instanceof Error || Array.isArray(exec)) return exec;
      throw new TypeError("EXEC answered neither an array nor an error");
    },
    close() {
      redis.disconnect();
    },
  };
}

const MULTI: Command = { name: "MULTI", args: [] };
const EXEC: Command = { name: "EXEC", args: [] };

/** The ACL user that a URL names; null for none. */
function userOf(redisUrl: string): string | null {
  const { username } = new URL(redisUrl);
  return username === "" ? null : decodeURIComponent(username);
}

/** An error that Redis did not say: the connection broke, or the second was over. */
function isLost(reply: Reply): boolean {
  return reply instanceof Error && !(reply instanceof ReplyError);
}

function unanswered(): Refused {
  return new Refused(503, "ERR Redis did not answer: this request may or may not have run");
}
