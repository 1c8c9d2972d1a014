import { createHash } from "node:crypto";
import { rest } from "../keep-trying.ts";
import { type BusEntry, namesOf } from "./bus-entry.ts";
import type { WebhookConfig } from "./config.ts";
import type { Target, Told } from "./forward.ts";
import { signedHeaders } from "./signature.ts";

/** Users whose events are on their way at the same time. */
const LANES = 8;
/** Events that are taken from the bus together, where each has a request of its own. */
const AT_ONCE = 64;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A receiver may ask for more patience than that, and not for ever. */
const LONGEST_ASKED_MS = 3_600_000;
/** What is wrong with the message, or with sending any: no other try would mend it. */
const PERMANENT = new Set([400, 410, 413, 415, 422]);

/**
 * A receiver of HTTP: each event, or each batch, is one POST, signed, and taken when it is answered 2xx. Anything else
 * is tried again with growing pauses, so many times, and is then refused for good; redirects are not followed. A batch
 * that is refused for good is halved until the culprit is alone.
 *
 * Events of one user go one after another; those of others do not wait for them.
 */
export function webhookTarget(
  config: WebhookConfig,
  { clock, firstPauseMs = FIRST_PAUSE_MS }: Options,
): Target {
  const { url, keys, types, batch, attempts, timeoutMs } = config;

  async function post(entries: readonly BusEntry[]): Promise<Outcome> {
    const body = batch > 1 ? `[${entries.map(({ event }) => event).join()}]` : (entries[0]?.event ?? "");
    const message = { id: messageId(entries), seconds: Math.floor(clock() / 1_000), body };
    try {
      const response = await fetch(url, {
        ...{ method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) },
        headers: {
          "content-type": `application/cloudevents${batch > 1 ? "-batch" : ""}+json; charset=utf-8`,
          "user-agent": "playhead",
          ...signedHeaders(message, keys),
        },
      });
      await response.body?.cancel();
      const { ok, status } = response;
      const askedMs = retryAfterMs(response.headers.get("retry-after"), clock());
      return { ok, reason: `answered ${status}`, permanent: PERMANENT.has(status), askedMs };
    } catch (error) {
      return { ok: false, reason: reasonOf(error), permanent: false, askedMs: 0 };
    }
  }

  async function bring(entries: readonly BusEntry[], told: Told, signal: AbortSignal): Promise<void> {
    let pause = firstPauseMs;
    for (let attempt = 1; ; attempt++) {
      const { ok, reason, permanent, askedMs } = await post(entries);
      if (ok) return await told.taken(entries);
      if (permanent && entries.length > 1) {
        const middle = Math.ceil(entries.length / 2);
        await bring(entries.slice(0, middle), told, signal);
        return await bring(entries.slice(middle), told, signal);
      }
      if (permanent || attempt >= attempts) {
        for (const entry of entries) await told.refused(entry, reason);
        return;
      }
      signal.throwIfAborted();
      await rest(Math.max(pause * (0.5 + Math.random() / 2), askedMs), signal);
      signal.throwIfAborted();
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  return {
    name: "webhook",
    atOnce: batch > 1 ? batch : AT_ONCE,
    async deliver(entries, told, signal) {
      const isWanted = (entry: BusEntry) => types === null || types.has(namesOf(entry)?.type ?? "");
      await told.taken(entries.filter((entry) => !isWanted(entry)));
      const wanted = entries.filter(isWanted);
      if (wanted.length === 0) return;
      if (batch > 1) return await bring(wanted, told, signal);
      const queues = [...Map.groupBy(wanted, ({ user }) => user).values()].values();
      const lane = async () => {
        for (const queue of queues) for (const entry of queue) await bring([entry], told, signal);
      };
      const outcomes = await Promise.allSettled(Array.from({ length: LANES }, lane));
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    },
    close: async () => {},
  };
}

/**
 * A name that the same events have at every attempt, and by whomever. A hash, because ids hold what users chose, and
 * what is signed is cut at dots.
 */
function messageId(entries: readonly BusEntry[]): string {
  const ids = entries.map((entry) => {
    const { source, id } = namesOf(entry) ?? {};
    return [source, id];
  });
  return `msg_${createHash("sha256").update(JSON.stringify(ids)).digest("hex")}`;
}

/** Seconds, or a date; nothing that is neither. */
function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const asked = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Math.min(Math.max(asked || 0, 0), LONGEST_ASKED_MS);
}

/** In the words of the network: those of `fetch` would hold the address, and with it perhaps a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  if (error.name === "TimeoutError") return "took too long";
  const code = error.cause instanceof Error && "code" in error.cause ? error.cause.code : undefined;
  return typeof code === "string" ? code : error.name;
}

type Outcome = { ok: boolean; reason: string; permanent: boolean; askedMs: number };
type Options = { clock: () => number; firstPauseMs?: number };
