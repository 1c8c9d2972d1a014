import { io, type Socket } from "socket.io-client";
import type { PartyEvents } from "../../db/contract/party-messages.ts";
import { tokenFor } from "./tokens.ts";
import { until } from "./until.ts";

export type Heard = {
  [Name in keyof PartyEvents]: { event: Name; data: PartyEvents[Name] };
}[keyof PartyEvents];
export type Reply = { ok?: true; refused?: string; sent_at?: number; server_time?: number };

/** A real client of parties that writes down everything it hears. */
export async function partyClient(options: {
  url: string;
  secret: string;
  user: string;
  token?: Parameters<typeof tokenFor>[2];
  /** Do not wait until it is connected. */
  eager?: boolean;
}): Promise<PartyClient> {
  const { url, secret, user } = options;
  const heard: Heard[] = [];
  const socket: Socket = io(`${url}/parties`, {
    transports: ["websocket"],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    auth: (send) => {
      void tokenFor(secret, user, options.token).then((token) => send({ token }));
    },
  });
  socket.onAny((event: string, data: unknown) => void heard.push({ event, data } as Heard));
  const errors: string[] = [];
  socket.on("connect_error", (error) => void errors.push(error.message));
  if (!options.eager) {
    await until(() => socket.connected, { what: `${user} to be connected at ${url} (${errors.join()})` });
  }

  async function ask(event: string, input: unknown = {}): Promise<Reply> {
    return (await socket.timeout(10_000).emitWithAck(event, input)) as Reply;
  }

  const of: PartyClient["of"] = (event) =>
    heard.flatMap((its) => (its.event === event ? [its.data as never] : []));

  return {
    ...{ user, socket, heard, errors, ask, of },

    join: (party_id, invite) => ask("join", invite === undefined ? { party_id } : { party_id, invite }),

    hears: (event, matches = () => true) =>
      until(() => of(event).find(matches), { what: `${user} to hear ${event}` }),

    breakLine: () => socket.io.engine.close(),
    close: () => void socket.disconnect(),
  };
}

export type PartyClient = {
  user: string;
  socket: Socket;
  /** Everything that was heard, in order. */
  heard: Heard[];
  /** Why it could not connect. */
  errors: string[];
  ask(event: string, input?: unknown): Promise<Reply>;
  join(party_id: string, invite?: string): Promise<Reply>;
  of<Name extends keyof PartyEvents>(event: Name): PartyEvents[Name][];
  hears<Name extends keyof PartyEvents>(
    event: Name,
    matches?: (data: PartyEvents[Name]) => boolean,
  ): Promise<PartyEvents[Name]>;
  /** The connection is lost; it comes back by itself. */
  breakLine(): void;
  close(): void;
};
