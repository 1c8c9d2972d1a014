import { Gauge, type Registry } from "prom-client";

/** A store that does not answer within this time leaves its gauges out of the scrape. */
const PATIENCE_MS = 500;

/** What is not counted but looked at, whenever somebody scrapes: by name without `playhead_`, with its help. */
export type Look<Name extends string> = {
  /** Whose standing it is: a label of `playhead_scrape_failed`. */
  of: string;
  gauges: Readonly<Record<Name, string>>;
  read: () => Promise<Readonly<Record<Name, number>>>;
};

export type Scrape = {
  /** From now on every scrape looks there. */
  watch: <Name extends string>(look: Look<Name>) => void;
  /** Looks everywhere. Never throws, and takes no longer than the patience. */
  look: () => Promise<void>;
};

/**
 * Gauges that are read at scrape time. While a store is away its gauges are absent, for nobody knows them, and
 * `playhead_scrape_failed` is 1.
 */
export function scrapeGauges(registry: Registry): Scrape {
  const registers = [registry];
  const failed = new Gauge({
    ...{ name: "playhead_scrape_failed", registers, labelNames: ["of"] },
    help: "1 when a store could not say how it stands: its gauges are absent then",
  });
  const looks: (() => Promise<void>)[] = [];

  return {
    watch({ of, gauges, read }) {
      const entries = Object.entries<string>(gauges).map(([name, help]) => {
        const gauge = new Gauge({ name: `playhead_${name}`, help, registers });
        gauge.remove();
        return [name, gauge] as const;
      });
      failed.set({ of }, 0);
      looks.push(async () => {
        const found: Readonly<Record<string, number>> | null = await inTime(read());
        failed.set({ of }, found === null ? 1 : 0);
        for (const [name, gauge] of entries) {
          const value = found?.[name];
          if (value === undefined) gauge.remove();
          else gauge.set(value);
        }
      });
    },
    async look() {
      await Promise.all(looks.map((look) => look()));
    },
  };
}

/** Null when it fails or takes too long; it goes on by itself then. */
async function inTime<T>(reading: Promise<T>): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<T | null>();
  const timer = setTimeout(resolve, PATIENCE_MS, null);
  reading.then(resolve, () => resolve(null));
  return await promise.finally(() => clearTimeout(timer));
}
