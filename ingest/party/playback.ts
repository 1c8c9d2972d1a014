import { type Connection, type PlaybackCommand, RoomRefused } from "./room.ts";
import { change, connectionOf, keep, leaderOf, positionAt, type Step } from "./step.ts";

/**
 * How far ahead a command takes effect, so that it has reached everybody by then. Players further away than this
 * correct themselves when it arrives.
 */
export const LEAD_MS = 500;
/** Nobody waits longer for a player that is not ready. */
export const READY_TIMEOUT_MS = 5_000;

/** Plays, pauses or seeks for everybody, at one server time. While it is waited for players, it holds at its position. */
export function command(step: Step, message: PlaybackCommand): void {
  const { user_id, id } = leaderOf(step, message.connection);
  const { revision, playback, waiting, connections } = step.room;
  if (message.revision < revision) throw new RoomRefused("stale");

  const at = step.now + LEAD_MS;
  const position = message.type === "seek" ? message.position : positionAt(playback, at);
  const goesOn =
    message.type === "play" || (message.type === "seek" && (playback.playing || waiting !== null));
  keep(step, user_id, { kind: "log", event: message.type, data: { position } });
  change(step, {
    revision: revision + 1,
    ...(message.type === "seek" ? { seek_revision: revision + 1 } : {}),
    playback: { playing: false, position, at },
    waiting: goesOn ? { until: step.now + READY_TIMEOUT_MS } : null,
    // After a seek every player has to load. Who says play can.
    connections: connections.map((its) => {
      if (message.type === "seek") return { ...its, readiness: "preparing" as const };
      return its.id === id ? { ...its, readiness: "ready" as const } : its;
    }),
  });
}

/** A player can go on from where the room is. One that says so of an earlier place is not there yet. */
export function ready(step: Step, { connection, revision }: { connection: string; revision: number }): void {
  const its = connectionOf(step, connection);
  if (revision < step.room.seek_revision) throw new RoomRefused("stale");
  if (its.readiness === "ready") return;
  setReadiness(step, (other) => (other.id === connection ? "ready" : other.readiness));
}

/** Plays on once nobody prepares any more; whoever still does when the time is up is not waited for again. */
export function goOn(step: Step): void {
  const { waiting, connections, revision, playback } = step.room;
  if (waiting === null) return;
  const late = connections.filter(({ readiness }) => readiness === "preparing");
  if (late.length > 0 && step.now < waiting.until) return;

  if (late.length > 0) {
    setReadiness(step, ({ readiness }) => (readiness === "preparing" ? "given_up" : readiness));
  }
  keep(step, null, { kind: "log", event: "went_on", data: { without: late.length } });
  change(step, {
    revision: revision + 1,
    playback: { ...playback, playing: true, at: Math.max(playback.at, step.now + LEAD_MS) },
    waiting: null,
  });
}

function setReadiness(step: Step, of: (connection: Connection) => Connection["readiness"]): void {
  const { connections } = step.room;
  change(step, { connections: connections.map((its) => ({ ...its, readiness: of(its) })) });
}
