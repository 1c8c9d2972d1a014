import type { UserId } from "../../db/contract/ids.ts";
import { type Connection, type Room, type RoomMessage, RoomRefused } from "./room.ts";
import { change, keep, leaderOf, leads, membersOf, type Step, say } from "./step.ts";

/** A host that was lost may come back for this long, before somebody else is elected. */
export const HOST_GRACE_MS = 10_000;

/** A member comes, with one more connection or with the first. To join again with the same one is to ask for the state. */
export function join(step: Step, { connection, user_id, name }: Joining): void {
  const { connections, capacity, kicked, viewers } = step.room;
  if (kicked.includes(user_id)) throw new RoomRefused("kicked");
  step.newcomers.push(connection);
  if (connections.some(({ id }) => id === connection)) return;

  const members = membersOf(connections);
  const known = members.find((member) => member.user_id === user_id);
  if (!known && members.length >= capacity) throw new RoomRefused("full");
  const joined_at = known?.joined_at ?? step.now;
  change(step, {
    connections: [...connections, { id: connection, user_id, name, joined_at, readiness: "preparing" }],
    viewers: { ...viewers, now: viewers.now + 1 },
  });
  if (known) return;
  say(step, { event: "member_joined", data: { rev: step.rev, user_id, name, joined_at } });
  keep(step, user_id, { kind: "log", event: "joined", data: {} });
}

/** Connections go. A member leaves with the last; a host who leaves is succeeded at once, one that is lost in a while. */
export function leave(
  step: Step,
  goes: (its: Connection) => boolean,
  reason: "left" | "lost" | "kicked",
): void {
  const gone = step.room.connections.filter(goes);
  if (gone.length === 0) return;
  const connections = step.room.connections.filter((its) => !goes(its));
  change(step, { connections, viewers: { ...step.room.viewers, now: connections.length } });

  const stays = new Set(connections.map(({ user_id }) => user_id));
  for (const { user_id } of membersOf(gone)) {
    if (stays.has(user_id)) continue;
    say(step, { event: "member_left", data: { rev: step.rev, user_id, reason } });
    keep(step, user_id, { kind: "log", event: "left", data: { reason } });
    if (user_id !== step.room.host_id) continue;
    change(step, { leaderless_at: reason === "lost" ? step.now : step.now - HOST_GRACE_MS });
  }
}

/** A leader sends a member away, for good. Nobody sends the owner away. */
export function kick(step: Step, { connection, user_id }: Targeted): void {
  const by = leaderOf(step, connection);
  mustBeBelow(step.room, by.user_id, user_id);
  if (step.room.kicked.includes(user_id)) return;
  change(step, { kicked: [...step.room.kicked, user_id] });
  keep(step, by.user_id, { kind: "log", event: "kicked", data: { user_id } });
  leave(step, (its) => its.user_id === user_id, "kicked");
}

/** What a muted member writes or likes is refused; watching goes on. */
export function mute(step: Step, { connection, user_id, muted }: Targeted & { muted: boolean }): void {
  const by = leaderOf(step, connection);
  mustBeBelow(step.room, by.user_id, user_id);
  if (step.room.muted.includes(user_id) === muted) return;
  const others = step.room.muted.filter((other) => other !== user_id);
  change(step, { muted: muted ? [...others, user_id] : others });
  keep(step, by.user_id, { kind: "log", event: muted ? "muted" : "unmuted", data: { user_id } });
  say(step, { event: "member_muted", data: { rev: step.rev, user_id, muted } });
}

export function setCoHosts(step: Step, co_host_ids: readonly UserId[]): void {
  if (step.room.co_host_ids.join(" ") !== co_host_ids.join(" ")) change(step, { co_host_ids });
}

/** The owner leads while there. Else who leads stays, or the co-host who came first succeeds, or whoever did. */
export function elect(step: Step): void {
  const { room, now } = step;
  const members = membersOf(room.connections);
  const present = (user: UserId | null) => members.some(({ user_id }) => user_id === user);
  const owner = present(room.owner_id) ? room.owner_id : null;
  const successor = () =>
    (members.find(({ user_id }) => room.co_host_ids.includes(user_id)) ?? members[0])?.user_id;

  const stays = room.host_id !== null && present(room.host_id);
  const due = room.leaderless_at !== null && now >= room.leaderless_at + HOST_GRACE_MS;
  const host_id = owner ?? (stays ? room.host_id : due ? (successor() ?? null) : room.host_id);
  const leaderless_at = host_id !== null && present(host_id) ? null : (room.leaderless_at ?? now);
  if (leaderless_at !== room.leaderless_at) change(step, { leaderless_at });
  if (host_id === room.host_id) return;
  change(step, { host_id });
  if (host_id !== null) keep(step, host_id, { kind: "log", event: "host", data: {} });
}

/** Whoever was erased is not here, and never was; the others are told who is. */
export function forget(step: Step, user: UserId): void {
  const { room } = step;
  if (!isNamedIn(room, user)) return;
  const others = (ids: readonly UserId[]) => ids.filter((id) => id !== user);
  const connections = room.connections.filter(({ user_id }) => user_id !== user);
  change(step, {
    ...{ connections, viewers: { ...room.viewers, now: connections.length } },
    ...{ co_host_ids: others(room.co_host_ids), muted: others(room.muted), kicked: others(room.kicked) },
    ...{ owner_id: room.owner_id === user ? null : room.owner_id },
    ...(room.host_id === user ? { host_id: null, leaderless_at: step.now - HOST_GRACE_MS } : {}),
  });
  step.newcomers.push(...connections.map(({ id }) => id));
}

/** Does a room name a user anywhere? */
export function isNamedIn(room: Room, user: UserId): boolean {
  const { connections, owner_id, host_id, co_host_ids, muted, kicked } = room;
  if (connections.some(({ user_id }) => user_id === user)) return true;
  return [owner_id, host_id, ...co_host_ids, ...muted, ...kicked].includes(user);
}

/** When somebody will be elected; null while nobody has to be, or nobody can. */
export function electAt({ leaderless_at, connections }: Room): number | null {
  return leaderless_at === null || connections.length === 0 ? null : leaderless_at + HOST_GRACE_MS;
}

/** @throws RoomRefused `forbidden` when this is about somebody who leads as well, unless the owner says it. */
function mustBeBelow(room: Room, by: UserId, user: UserId): void {
  if (user === room.owner_id || (leads(room, user) && by !== room.owner_id))
    throw new RoomRefused("forbidden");
}

type Joining = Extract<RoomMessage, { type: "join" }>;
type Targeted = { connection: string; user_id: UserId };
