import { partyRoomKey } from "../../db/redis/keys.ts";
import type { Room } from "../../ingest/party/room.ts";
import { type PartyClient, partyClient } from "./party-client.ts";
import { until } from "./until.ts";
import { createWorld, SECRET, type World } from "./world.ts";

/** Two ingests on the same stores, and whoever connects to one of them. */
export async function createPartyWorld(settings: Record<string, string> = {}) {
  const world = await createWorld(settings);
  const urls: [string, string] = [world.ingestUrl, await world.startIngest()];
  const clients: PartyClient[] = [];

  return {
    ...{ world, urls, clients },
    open: (input: Record<string, unknown> = {}, host = "host") => openParty(world, input, host),

    /** A client that is connected to the first ingest, or to the second. */
    async client(user: string, at: 0 | 1 = 0, its: { token?: object; eager?: boolean } = {}) {
      const client = await partyClient({ url: urls[at], secret: SECRET, user, ...its });
      clients.push(client);
      return client;
    },

    /** Everybody in one party, at one ingest and the other by turns. */
    async company(party_id: string, ...users: string[]): Promise<PartyClient[]> {
      const all = await Promise.all(users.map((user, n) => this.client(user, n % 2 === 0 ? 0 : 1)));
      for (const client of all) {
        const answer = await client.join(party_id);
        if (!answer.ok) throw new Error(`${client.user}: ${JSON.stringify(answer)}`);
      }
      return all;
    },

    room: (party_id: string) => roomOf(world, party_id),

    async stop(): Promise<void> {
      for (const client of clients) client.close();
      await world.stop();
    },
  };
}

export type PartyWorld = Awaited<ReturnType<typeof createPartyWorld>>;

/** A party that is on. @returns its id. */
export async function openParty(world: World, input: Record<string, unknown>, host: string): Promise<string> {
  const its = {
    title: "A party",
    content_id: "sintel",
    visibility: "public",
    start_time: Date.now(),
    ...input,
  };
  const made = await world.ask("/parties", {
    ...{ as: host, at: world.ingestUrl, method: "POST", body: JSON.stringify(its) },
    headers: { "content-type": "application/json" },
  });
  if (made.status !== 201) throw new Error(`${made.status} ${await made.text()}`);
  const { party_id } = (await made.json()) as { party_id: string };
  await until(async () => (await world.redis.exists(partyRoomKey(party_id))) === 1, {
    what: "the room to open",
  });
  return party_id;
}

async function roomOf(world: World, party_id: string): Promise<Room | null> {
  const room = await world.redis.hget(partyRoomKey(party_id), "room");
  return room === null ? null : (JSON.parse(room) as Room);
}
