/** A message that went through this process. */
export type Passed = { offset: string; nsp: string; type: string; data?: string };

/** An event to clients, among the messages of the streams adapter. */
const BROADCAST = "3";

/**
 * What a recovered connection missed, each thing once. The adapter reads the stream up to a moment of its own; meanwhile
 * its reader goes on, and passes what it reads to everybody who is connected by then, which this connection is not yet.
 * So what has passed is added, and what will pass is left out. To be called in the same turn in which it connects.
 */
export function exactSession<S extends Session>(
  session: S,
  { passed, after, last }: { passed: readonly Passed[]; after: string; last: string },
): S {
  const missed = new Map<string, unknown[]>();
  for (const packet of session.missedPackets) missed.set(String(packet.at(-1)), packet);
  for (const { offset, type, data } of passed) {
    if (type !== BROADCAST || missed.has(offset) || compareOffsets(offset, after) <= 0) continue;
    const { packet, opts } = JSON.parse(data ?? "{}") as Broadcast;
    if (opts.rooms.some((room) => session.rooms.includes(room))) missed.set(offset, [...packet.data, offset]);
  }
  const missedPackets = [...missed]
    .filter(([offset]) => compareOffsets(offset, last) <= 0)
    .sort(([one], [other]) => compareOffsets(one, other))
    .map(([, packet]) => packet);
  return { ...session, missedPackets };
}

/** Ids of a stream are milliseconds, a hyphen and a count. */
export function compareOffsets(one: string, other: string): number {
  const [oneMs = 0, oneCount = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherCount = 0] = other.split("-").map(Number);
  return oneMs - otherMs || oneCount - otherCount;
}

type Session = { rooms: string[]; missedPackets: unknown[][] };
type Broadcast = { packet: { data: unknown[] }; opts: { rooms: string[] } };
