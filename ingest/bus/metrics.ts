import type { EventType } from "../../db/contract/event-data.ts";

/** Where events are forwarded to: the name of its consumer group, too. */
export type TargetName = "kafka" | "webhook";

/** What is counted of the bus. */
export type BusMetrics = {
  /** Events are on the bus. */
  eventsPublished: (type: EventType, events: number) => void;
  /** A target has them. */
  eventsForwarded: (target: TargetName, events: number) => void;
  /** A target will not have them: they were set aside. */
  eventsDeadLettered: (target: TargetName, events: number) => void;
  /** So many wait for a target now. */
  eventsWaiting: (target: TargetName, events: number) => void;
  /** So many are committed, and not on the bus yet. */
  outboxWaiting: (events: number) => void;
};
