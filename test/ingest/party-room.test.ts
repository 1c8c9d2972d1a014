import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { TELL_EVERY_MS } from "../../ingest/party/chatter.ts";
import { HOST_GRACE_MS } from "../../ingest/party/members.ts";
import { LEAD_MS, READY_TIMEOUT_MS } from "../../ingest/party/playback.ts";
import { dueAt, reduce } from "../../ingest/party/reduce.ts";
import type { RoomMessage, Send } from "../../ingest/party/room.ts";
import { membersOf, positionAt } from "../../ingest/party/step.ts";
import {
  type KnownRoom,
  learn,
  membersKnown,
  nothingKnown,
  OPENED,
  OWNER,
  roomOf,
} from "../support/party-room.ts";

const T = OPENED + 60_000;
const play = (connection: string, revision: number): RoomMessage => ({ type: "play", connection, revision });
const pause = (connection: string, revision: number): RoomMessage => ({
  type: "pause",
  connection,
  revision,
});
const seek = (connection: string, revision: number, position: number): RoomMessage => ({
  type: "seek",
  ...{ connection, revision, position },
});
const ready = (connection: string, revision: number): RoomMessage => ({
  type: "ready",
  connection,
  revision,
});

function events(said: Send[] | string): string[] {
  return typeof said === "string" ? [said] : said.map(({ event, to }) => (to ? `${event} to ${to}` : event));
}

describe("coming and going", () => {
  test("who comes hears all of it, everybody hears who came; the owner leads", () => {
    const its = roomOf();
    expect(events(its.join("ann", T))).toEqual(["member_joined", "viewers", "state to p1:ann", "state"]);
    expect(its.room.host_id).toBe("ann");
    const said = its.join("owner", T + 1_000);
    expect(events(said)).toEqual(["member_joined", "viewers", "state to p1:owner", "state"]);
    expect(said[2]).toMatchObject({
      data: { host_id: OWNER, members: [{ user_id: "ann" }, { user_id: "owner" }], viewers: 2 },
    });
    expect(its.kept.map((record) => (record.kind === "log" ? record.event : record.kind))).toEqual([
      ...["joined", "host", "viewers"],
      ...["joined", "host", "viewers"],
    ]);
  });

  test("before the owner is late, nobody is elected", () => {
    const its = roomOf();
    its.join("ann", OPENED + HOST_GRACE_MS - 1);
    expect(its.room.host_id).toBeNull();
    expect(its.tell(play("p1:ann", 0), OPENED + HOST_GRACE_MS - 1)).toBe("forbidden");
    expect(dueAt(its.room)).toBe(OPENED + HOST_GRACE_MS);
    its.tell({ type: "tick" }, OPENED + HOST_GRACE_MS);
    expect(its.room.host_id).toBe("ann");
  });

  test("a member on two devices is one member and two viewers, and leaves with the last", () => {
    const its = roomOf();
    its.join("ann", T);
    expect(events(its.join("ann", T + 1_000, "p2:phone"))).toEqual(["viewers", "state to p2:phone"]);
    expect(its.room.viewers.now).toBe(2);
    expect(membersOf(its.room.connections)).toMatchObject([{ user_id: "ann", joined_at: T }]);
    expect(events(its.tell({ type: "leave", connection: "p1:ann" }, T + 2_000))).toEqual(["viewers"]);
    expect(events(its.tell({ type: "leave", connection: "p2:phone" }, T + 3_000))).toEqual([
      "member_left",
      "viewers",
      "state",
    ]);
  });

  test("to join again is to hear the state again, and no more", () => {
    const its = roomOf();
    its.join("ann", T);
    const before = its.room;
    expect(events(its.join("ann", T + 1_000))).toEqual(["state to p1:ann"]);
    expect(its.room).toBe(before);
  });

  test("a party that is full takes no other member, but another device of one who is there", () => {
    const its = roomOf({ capacity: 1 });
    its.join("ann", T);
    expect(its.join("bob", T)).toBe("full");
    expect(events(its.join("ann", T, "p1:tv"))).toContain("state to p1:tv");
  });

  test("a process that is gone takes its connections with it, and no others that look alike", () => {
    const its = roomOf();
    its.join("ann", T, "p1:a");
    its.join("bob", T, "p11:b");
    its.tell({ type: "gone", process: "p1" }, T + 1);
    expect(its.room.connections.map(({ id }) => id)).toEqual(["p11:b"]);
  });
});

describe("who leads", () => {
  const company = () => {
    const its = roomOf({ co_host_ids: ["coco" as UserId] });
    for (const [n, user] of ["owner", "ann", "coco"].entries()) its.join(user, T + n);
    return its;
  };

  test("a host who leaves is succeeded at once: by a co-host, then by whoever is there longest", () => {
    const its = company();
    its.tell({ type: "leave", connection: "p1:owner" }, T + 10);
    expect(its.room.host_id).toBe("coco");
    its.tell({ type: "leave", connection: "p1:coco" }, T + 20);
    expect(its.room.host_id).toBe("ann");
    its.join("owner", T + 30);
    expect(its.room.host_id).toBe(OWNER);
  });

  test("a host who is lost has a while to come back", () => {
    const its = company();
    its.tell({ type: "lost", connection: "p1:owner" }, T + 10);
    its.tell({ type: "tick" }, T + 9 + HOST_GRACE_MS);
    expect(its.room.host_id).toBe(OWNER);
    its.join("owner", T + 9 + HOST_GRACE_MS, "p2:owner");
    expect(its.room).toMatchObject({ host_id: OWNER, leaderless_at: null });
    its.tell({ type: "lost", connection: "p2:owner" }, T + 50_000);
    expect(its.tell({ type: "tick" }, T + 50_000 + HOST_GRACE_MS)).toMatchObject([
      { data: { host_id: "coco" } },
    ]);
  });

  test("only leaders command, kick and mute, and none of them another leader but the owner", () => {
    const its = company();
    const kick = (connection: string, user_id: string): RoomMessage => ({
      type: "kick",
      ...{ connection, user_id: user_id as UserId },
    });
    for (const message of [
      play("p1:ann", 9),
      pause("p1:ann", 9),
      seek("p1:ann", 9, 1),
      kick("p1:ann", "coco"),
    ]) {
      expect(its.tell(message, T)).toBe("forbidden");
    }
    expect(its.tell({ type: "end", connection: "p1:ann", reason: "host" }, T)).toBe("forbidden");
    expect(its.tell(kick("p1:coco", "owner"), T)).toBe("forbidden");
    expect(events(its.tell(kick("p1:coco", "ann"), T + 1_000))).toEqual(["member_left", "viewers"]);
    expect(its.join("ann", T + 2_000)).toBe("kicked");
    expect(its.tell(kick("p1:owner", "coco"), T + 3_000)).not.toBe("forbidden");
    expect(its.tell(play("p1:nobody", 9), T)).toBe("not_joined");
  });

  test("who is muted neither writes nor likes, and watches on", () => {
    const its = company();
    const mute = (muted: boolean): RoomMessage => ({
      type: "mute",
      ...{ connection: "p1:owner", user_id: "ann" as UserId, muted },
    });
    its.tell(mute(true), T);
    expect(its.tell({ type: "chat", connection: "p1:ann", id: "1", text: "hi" }, T)).toBe("muted");
    expect(its.tell({ type: "like", connection: "p1:ann", count: 1 }, T)).toBe("muted");
    expect(its.tell(ready("p1:ann", 0), T)).not.toBe("muted");
    its.tell(mute(false), T);
    expect(events(its.tell({ type: "chat", connection: "p1:ann", id: "1", text: "hi" }, T))).toEqual([
      "chat",
    ]);
  });
});

describe("who was erased", () => {
  const forget = (user: string) => ({ type: "forget", user_id: user as UserId }) as const;

  test("is nowhere in the room, nor in what it says and keeps; the others are told who is there", () => {
    const its = roomOf({ co_host_ids: ["ann" as UserId] });
    its.join("owner", OPENED);
    its.join("ann", OPENED + 1);
    its.join("ann", OPENED + 2, "p2:ann");
    its.join("bob", OPENED + 3);
    its.tell({ type: "mute", connection: "p1:owner", user_id: "ann" as UserId, muted: true }, OPENED + 4);
    const kept = its.kept.length;
    const said = its.tell(forget("ann"), OPENED + 1_000);
    expect(JSON.stringify([its.room, said, its.kept.slice(kept)])).not.toContain("ann");
    expect(said).toContainEqual(
      expect.objectContaining({
        ...{ event: "state", to: "p1:bob" },
        data: expect.objectContaining({ members: [expect.anything(), expect.anything()] }),
      }),
    );
    expect(its.room.viewers.now).toBe(2);
    const { room } = its;
    expect(its.tell(forget("ann"), OPENED + 1_001)).toEqual([]);
    expect(its.room).toBe(room);
  });

  test("leads no more: somebody else does, and the owner's party is over", () => {
    const its = roomOf();
    its.join("ann", OPENED);
    its.join("bob", OPENED + 1);
    its.tell({ type: "tick" }, OPENED + 20_000);
    expect(its.room.host_id).toBe("ann");
    its.tell(forget("ann"), OPENED + 20_001);
    expect([its.room.host_id, its.room.ended]).toEqual(["bob", null]);

    const said = its.tell(forget("owner"), OPENED + 20_002);
    expect(said).toContainEqual({ event: "ended", data: { reason: "cancelled" } });
    expect(its.room).toMatchObject({ owner_id: null, ended: { reason: "cancelled" } });
  });

  test("is forgotten by a room that has ended as well", () => {
    const its = roomOf();
    its.join("ann", OPENED);
    its.tell({ type: "end", connection: null, reason: "schedule" }, OPENED + 1);
    its.tell(forget("ann"), OPENED + 2);
    its.tell(forget("owner"), OPENED + 3);
    expect(JSON.stringify(its.room)).not.toMatch(/ann|"owner"/);
    expect(its.room.ended).toEqual({ reason: "schedule" });
  });
});

describe("the playback", () => {
  const two = () => {
    const its = roomOf();
    its.join("owner", T);
    its.join("ann", T);
    return its;
  };
  const at = (its: ReturnType<typeof roomOf>, time: number) => positionAt(its.room.playback, time);

  test("play waits for those who prepare, and begins at one time for all", () => {
    const its = two();
    expect(its.tell(play("p1:owner", 0), T)).toMatchObject([
      { event: "state", data: { revision: 1, playing: false, waiting: { until: T + READY_TIMEOUT_MS } } },
    ]);
    expect(its.tell(ready("p1:ann", 1), T + 200)).toMatchObject([
      {
        event: "state",
        data: { revision: 2, playing: true, position: 0, at: T + 200 + LEAD_MS, waiting: null },
      },
    ]);
    expect(at(its, T + 200 + LEAD_MS + 1_500)).toBe(1.5);
  });

  test("a joiner that is never ready is waited for once, until the time is up", () => {
    const its = two();
    its.tell(play("p1:owner", 0), T);
    expect(dueAt(its.room)).toBe(T + TELL_EVERY_MS);
    its.tell({ type: "tick" }, T + READY_TIMEOUT_MS - 1);
    expect(its.room.playback.playing).toBe(false);
    its.tell({ type: "tick" }, T + READY_TIMEOUT_MS);
    expect(its.room.playback).toEqual({ playing: true, position: 0, at: T + READY_TIMEOUT_MS + LEAD_MS });

    its.tell(pause("p1:owner", its.room.revision), T + 10_000);
    its.tell(play("p1:owner", its.room.revision), T + 20_000);
    expect(its.room).toMatchObject({ waiting: null, playback: { playing: true } });
  });

  test("who comes while it plays stops nobody", () => {
    const its = two();
    its.tell(ready("p1:ann", 0), T);
    its.tell(play("p1:owner", 0), T);
    const { playback } = its.room;
    its.join("late", T + 5_000);
    expect(its.room.playback).toEqual(playback);
  });

  test("pause stops where it will be by then, and takes back a play that waits", () => {
    const its = two();
    its.tell(ready("p1:ann", 0), T);
    its.tell(play("p1:owner", 0), T);
    its.tell(pause("p1:owner", its.room.revision), T + 10_000);
    expect(its.room.playback).toEqual({ playing: false, position: 10, at: T + 10_000 + LEAD_MS });

    its.join("late", T + 11_000);
    its.tell(play("p1:owner", its.room.revision), T + 12_000);
    expect(its.room.waiting).not.toBeNull();
    its.tell(pause("p1:owner", its.room.revision), T + 12_100);
    its.tell({ type: "tick" }, T + 60_000);
    expect(its.room).toMatchObject({ waiting: null, playback: { playing: false, position: 10 } });
  });

  test("a seek holds until all have loaded, then plays on; while it was paused it only moves", () => {
    const its = two();
    its.tell(ready("p1:ann", 0), T);
    its.tell(seek("p1:owner", 0, 100), T);
    expect(its.room).toMatchObject({ waiting: null, playback: { playing: false, position: 100 } });
    expect(its.tell(ready("p1:ann", 0), T)).toBe("stale");

    its.tell(play("p1:owner", 1), T);
    expect(its.room.waiting).not.toBeNull();
    its.tell(ready("p1:ann", 2), T + 100);
    its.tell(seek("p1:owner", its.room.revision, 50), T + 30_000);
    expect(its.room).toMatchObject({ playback: { playing: false, position: 50 } });
    its.tell(ready("p1:ann", its.room.revision), T + 30_100);
    expect(its.room.waiting).not.toBeNull();
    its.tell(ready("p1:owner", its.room.revision), T + 30_200);
    expect(its.room.playback).toEqual({ playing: true, position: 50, at: T + 30_200 + LEAD_MS });
  });

  test("play while it plays goes on without a break", () => {
    const its = two();
    its.tell(ready("p1:ann", 0), T);
    its.tell(play("p1:owner", 0), T);
    const before = at(its, T + 20_000);
    its.tell(play("p1:owner", its.room.revision), T + 10_000);
    expect(at(its, T + 20_000)).toBe(before);
  });

  test("a command that was given to an earlier playback is dropped", () => {
    const its = two();
    its.tell(ready("p1:ann", 0), T);
    its.tell(play("p1:owner", 0), T);
    its.tell(pause("p1:owner", its.room.revision), T + 1_000);
    expect(its.tell(seek("p1:owner", its.room.revision - 1, 7), T + 1_001)).toBe("stale");
    expect(its.room.playback.position).not.toBe(7);
  });
});

describe("what is said", () => {
  test("a message is kept with where the playback was", () => {
    const its = roomOf();
    its.join("owner", T);
    its.tell(play("p1:owner", 0), T);
    const said = its.tell(
      { type: "chat", connection: "p1:owner", id: "c1", text: "look" },
      T + LEAD_MS + 3_000,
    );
    expect(said).toMatchObject([{ event: "chat", data: { id: "c1", text: "look", media_time: 3 } }]);
    expect(its.kept.at(-1)).toMatchObject({ kind: "chat", id: "c1", user_id: OWNER, media_time: 3 });
  });

  test("likes are kept one by one, and told twice a second at most, all of them", () => {
    const its = roomOf();
    its.join("owner", T);
    const told: number[] = [];
    for (let n = 0; n < 100; n++) {
      const said = its.tell({ type: "like", connection: "p1:owner", count: 1 }, T + n * 20);
      for (const send of said)
        if (typeof send !== "string" && send.event === "likes") told.push(send.data.count);
    }
    const due = dueAt(its.room);
    expect(due).not.toBeNull();
    const last = its.tell({ type: "tick" }, due ?? 0);
    expect(last).toMatchObject([{ event: "likes", data: { total: 100 } }]);
    expect(told.length).toBe(4);
    expect(its.kept.filter(({ kind }) => kind === "like")).toHaveLength(100);
    expect(dueAt(its.room)).toBeNull();
  });

  test("after the end nothing is heard, and those who go may go", () => {
    const its = roomOf();
    its.join("owner", T);
    its.tell({ type: "like", connection: "p1:owner", count: 2 }, T + 1_000);
    its.tell({ type: "like", connection: "p1:owner", count: 3 }, T + 1_001);
    const said = its.tell({ type: "end", connection: "p1:owner", reason: "host" }, T + 1_002);
    expect(said).toMatchObject([{ event: "likes", data: { count: 3, total: 5 } }, { event: "ended" }]);
    expect(its.tell({ type: "chat", connection: "p1:owner", id: "1", text: "x" }, T + 2_000)).toBe(
      "finished",
    );
    expect(its.join("ann", T + 2_000)).toBe("finished");
    expect(its.tell({ type: "end", connection: null, reason: "schedule" }, T + 2_000)).toBe("finished");
    expect(events(its.tell({ type: "leave", connection: "p1:owner" }, T + 3_000))).toEqual(["member_left"]);
    expect(dueAt(its.room)).toBeNull();
  });
});

describe("any interleaving", () => {
  const users = ["owner", "ann", "bob", "coco"];
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("join", "lost", "leave", "ready", "play", "pause") },
    fc.constantFrom("seek", "chat", "like", "kick", "mute", "tick", "deliver", "shuffle"),
  );
  const deed = fc.record({
    who: fc.nat(3),
    device: fc.nat(1),
    action,
    behind: fc.nat(1),
    wait: fc.nat(3_000),
  });

  test("all who are connected in the end know the same, whatever was dropped, late or out of order", () => {
    fc.assert(
      fc.property(
        fc.array(deed, { minLength: 5, maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        (deeds, random) => {
          const its = roomOf({ co_host_ids: ["coco" as UserId], capacity: 3 });
          const clients = new Map<string, { known: KnownRoom; queue: Send[] }>();
          let now = OPENED;
          const pick = (below: number) => (random.next().value ?? 0) % below;
          const tell = (message: RoomMessage) => {
            const said = its.tell(message, now);
            if (typeof said === "string") return;
            for (const send of said) {
              for (const [id, { queue }] of clients)
                if (send.to === undefined || send.to === id) queue.push(send);
            }
          };
          // What two processes say comes in any order.
          const deliver = ({ known, queue }: { known: KnownRoom; queue: Send[] }, mixed: boolean) => {
            while (queue.length > 0) {
              for (const send of queue.splice(mixed ? pick(queue.length) : 0, 1)) learn(known, send);
            }
          };

          for (const { who, device, action, behind, wait } of deeds) {
            now += wait;
            const user_id = (users[who] ?? "ann") as UserId;
            const connection = `p${device}:${user_id}`;
            const revision = Math.max(0, its.room.revision - behind);
            switch (action) {
              case "join":
                clients.set(connection, clients.get(connection) ?? { known: nothingKnown(), queue: [] });
                tell({ type: "join", connection, user_id, name: null });
                break;
              case "lost":
              case "leave":
                clients.delete(connection);
                tell({ type: action, connection });
                break;
              case "play":
              case "pause":
              case "ready":
                tell({ type: action, connection, revision });
                break;
              case "seek":
                tell({ type: "seek", connection, revision, position: pick(100) });
                break;
              case "chat":
                tell({ type: "chat", connection, id: "c", text: "x" });
                break;
              case "like":
                tell({ type: "like", connection, count: 1 + pick(3) });
                break;
              case "kick":
                if (pick(4) === 0)
                  tell({ type: "kick", connection, user_id: (users[pick(4)] ?? "ann") as UserId });
                break;
              case "mute":
                tell({
                  type: "mute",
                  connection,
                  user_id: (users[pick(4)] ?? "ann") as UserId,
                  muted: pick(2) === 0,
                });
                break;
              case "tick":
                tell({ type: "tick" });
                break;
              default:
                for (const client of clients.values()) deliver(client, action === "shuffle");
            }
          }
          for (let due = dueAt(its.room); due !== null; due = dueAt(its.room)) {
            now = Math.max(now, due);
            tell({ type: "tick" });
          }

          const { room } = its;
          expect(room.waiting).toBeNull();
          const connected = new Set(room.connections.map(({ id }) => id));
          for (const [id, client] of clients) {
            if (!connected.has(id)) continue;
            deliver(client, true);
            const { state, likes, viewers } = client.known;
            expect(state).toMatchObject({
              ...{ revision: room.revision, waiting: null, host_id: room.host_id },
              ...room.playback,
            });
            expect(membersKnown(client.known)).toEqual(
              membersOf(room.connections)
                .map(({ user_id }) => user_id)
                .sort(),
            );
            expect(viewers.count).toBe(room.connections.length);
            expect(likes).toBe(room.likes.now);
          }
          // Somebody leads as soon as anybody is there.
          if (connected.size > 0)
            expect(room.connections.some(({ user_id }) => user_id === room.host_id)).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("the room that was given stays as it is, and the same message gives the same outcome", () => {
    const its = roomOf();
    its.join("owner", T);
    const before = structuredClone(its.room);
    const message = seek("p1:owner", 0, 9);
    expect(reduce(its.room, message, T)).toEqual(reduce(its.room, message, T));
    expect(its.room).toEqual(before);
  });
});
