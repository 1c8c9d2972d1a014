import { randomUUID } from "node:crypto";
import type { Folded } from "../drain/fold.ts";
import type { Stored } from "../drain/store.ts";
import { type TurnDeps, turn } from "../drain/turn.ts";
import type { StreamEntry } from "../stream.ts";
import { spanned, within } from "./ambient.ts";
import type { Step, Unchanged } from "./history-metrics.ts";
import type { Metrics } from "./metrics.ts";
import { originsOf, type Tracing } from "./tracing.ts";

/**
 * Turns that are seen: each has an id that is on every line it logs, is timed as a whole and by its steps, and is a
 * trace of its own when somebody records the requests that its entries came from; it is linked to those.
 */
export function seenTurns(
  deps: TurnDeps,
  { metrics, tracing }: { metrics: Metrics; tracing: Tracing },
): (entries: readonly StreamEntry[], signal: AbortSignal) => Promise<void> {
  const seen = seenSteps(deps, metrics);
  return async function seenTurn(entries, signal) {
    const span = tracing?.tracer.begin("turn", "consumer", { links: originsOf(entries) });
    const fields = { turn: randomUUID(), ...(span ? { trace_id: span.traceId } : {}) };
    const attributes = { entries: entries.length };
    await within({ fields, span: span?.sampled ? span : null }, async () => {
      try {
        await metrics.turned(() => turn(seen, entries, signal));
        span?.end({ attributes });
      } catch (error) {
        span?.end({ failed: true, attributes });
        throw error;
      }
    });
  };
}

function seenSteps(deps: TurnDeps, metrics: Metrics): TurnDeps {
  const step = <T>(name: Step, work: () => Promise<T>) => metrics.measure(name, () => spanned(name, work));
  return {
    ...deps,
    async store(folded, eventsOf) {
      const stored = await step("store", () => deps.store(folded, eventsOf));
      metrics.unchanged(unchangedOf(folded, stored));
      return stored;
    },
    project: (...its) => step("project", () => deps.project(...its)),
    publish: (...its) => step("publish", () => deps.publish(...its)),
    async settle(entries, poison) {
      await step("settle", () => deps.settle(entries, poison));
      metrics.failed(
        "quarantine",
        poison.reduce((sum, { events }) => sum + events, 0),
      );
    },
  };
}

/** What heartbeats changed nothing. Actions are told twice, by their request and by a turn, and do not count. */
function unchangedOf({ items }: Folded, { rows }: Stored): Unchanged {
  const unchanged = { stale: 0, duplicate: 0 };
  const same = rows.filter((row) => row.changed === false);
  if (same.length === 0) return unchanged;
  const atOf = new Map(items.map((item) => [keyOf(item), item.position_at]));
  for (const row of same) {
    const at = atOf.get(keyOf(row)) ?? 0;
    const [rowAt] = row.said ?? [row.watched_at];
    if (at > 0) unchanged[at === rowAt ? "duplicate" : "stale"]++;
  }
  return unchanged;
}

function keyOf({ user_id, content_id }: { user_id: string; content_id: string }): string {
  return `${user_id} ${content_id}`;
}
