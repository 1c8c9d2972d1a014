import { otlpBody } from "./otlp.ts";
import type { Attributes, Span } from "./span.ts";

/** Spans that wait at most; what comes while the collector is away or slow is dropped past it. */
const WAITING = 2_048;
const AT_ONCE = 512;
/** How long a span waits for company, where somebody may keep a timer. */
const LINGER_MS = 1_000;
const DEADLINE_MS = 10_000;
/** A process that stops does not wait longer for its collector. */
const LAST_WORDS_MS = 500;

/**
 * Sends spans to a collector by OTLP/HTTP. To record costs a push; a collector that is away, slow or refuses costs
 * spans, and nobody any time: nothing here throws, and nothing is tried twice.
 *
 * @param its.lingers whether spans are sent by themselves, a second after the first; else when `flush` is called, as
 * in a Worker, where nothing may go on behind a request.
 */
export function otlpExporter({ url, headers, resource, lingers }: ExporterOptions): Exporter {
  let waiting: Span[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let underway: Promise<void> | undefined;
  const stopping = new AbortController();

  function tell(span: Span): void {
    if (waiting.length >= WAITING) return;
    waiting.push(span);
    if (lingers && timer === undefined && !stopping.signal.aborted) arm();
  }

  function arm(): void {
    timer = setTimeout(() => {
      // One request at a time: a slow collector gets no second one.
      underway = flush().finally(() => {
        timer = undefined;
        if (waiting.length > 0 && !stopping.signal.aborted) arm();
      });
    }, LINGER_MS);
    if (typeof timer === "object") timer.unref?.();
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, AT_ONCE);
      waiting = waiting.slice(AT_ONCE);
      if (!(await send(batch))) waiting = [];
    }
  }

  async function send(spans: readonly Span[]): Promise<boolean> {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: otlpBody(spans, resource),
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(DEADLINE_MS)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  async function stop(): Promise<void> {
    clearTimeout(timer);
    const giveUp = setTimeout(() => stopping.abort(), LAST_WORDS_MS);
    await underway;
    await flush();
    clearTimeout(giveUp);
    stopping.abort();
  }

  return { tell, flush, stop };
}

export type Exporter = {
  tell: (span: Span) => void;
  /** Sends what waits. */
  flush: () => Promise<void>;
  /** Sends what waits, within half a second. */
  stop: () => Promise<void>;
};

type ExporterOptions = {
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Who tells: `service.name` and whatever else. */
  resource: Attributes;
  lingers: boolean;
};
