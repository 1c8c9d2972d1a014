import { chat, like, tellAt, tellCounts } from "./chatter.ts";
import { elect, electAt, forget, join, kick, leave, mute, setCoHosts } from "./members.ts";
import { command, goOn, ready } from "./playback.ts";
import { type Outcome, type Room, type RoomMessage, RoomRefused } from "./room.ts";
import { begin, change, conclude, keep, leaderOf, type Step, say } from "./step.ts";

/**
 * What a room makes of a message. Pure: the same room, message and time give the same outcome, and the room that was
 * given stays as it is. Whatever is due by then happens as well, so a `tick` at `dueAt` is all that time needs.
 *
 * @throws RoomRefused when nothing comes of it.
 */
export function reduce(room: Room, message: RoomMessage, now: number): Outcome {
  if (room.ended && !LEAVING.has(message.type)) throw new RoomRefused("finished");
  const step = begin(room, now);
  (HANDLERS[message.type] as (step: Step, message: RoomMessage) => void)(step, message);
  if (!step.room.ended) {
    elect(step);
    goOn(step);
    tellCounts(step);
  }
  return conclude(step);
}

/** When time alone changes the room next, in epoch milliseconds; null for never. */
export function dueAt(room: Room): number | null {
  if (room.ended) return null;
  const times = [room.waiting?.until ?? null, electAt(room), tellAt(room.likes), tellAt(room.viewers)];
  return times.reduce((first, at) => (at !== null && (first === null || at < first) ? at : first), null);
}

const LEAVING: ReadonlySet<RoomMessage["type"]> = new Set(["leave", "lost", "gone", "forget"]);

/** What is done about each kind of message. */
const HANDLERS: { [Type in RoomMessage["type"]]: (step: Step, message: MessageOf<Type>) => void } = {
  join,
  leave: (step, { connection }) => leave(step, ({ id }) => id === connection, "left"),
  lost: (step, { connection }) => leave(step, ({ id }) => id === connection, "lost"),
  gone: (step, { process }) => leave(step, ({ id }) => id.startsWith(`${process}:`), "lost"),
  chat,
  like,
  play: command,
  pause: command,
  seek: command,
  ready,
  kick,
  mute,
  co_hosts: (step, { co_host_ids }) => setCoHosts(step, co_host_ids),
  end,
  forget(step, { user_id }) {
    const owned = step.room.owner_id === user_id;
    forget(step, user_id);
    if (owned && !step.room.ended) end(step, { type: "end", connection: null, reason: "cancelled" });
  },
  tick: () => {},
};

type MessageOf<Type extends RoomMessage["type"]> = Extract<RoomMessage, { type: Type }>;

/** It is over: nothing is heard any more, and what was not told of yet is told. */
function end(step: Step, { connection, reason }: MessageOf<"end">): void {
  const by = connection === null ? null : leaderOf(step, connection).user_id;
  const { likes } = step.room;
  if (likes.now > likes.told) {
    say(step, { event: "likes", data: { count: likes.now - likes.told, total: likes.now } });
  }
  keep(step, by, { kind: "log", event: "ended", data: { reason } });
  change(step, { ended: { reason }, waiting: null });
  say(step, { event: "ended", data: { reason } });
}
