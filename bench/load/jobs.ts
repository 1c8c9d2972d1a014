/** What the generator's process can be asked for. */
export type Job = Flood | Pace | Reads;

/** POSTs of heartbeats, as fast as they are answered. The answer is requests a second. */
export type Flood = {
  kind: "flood";
  /** Where to; `null` for each viewer's own path of ingest. */
  path: string | null;
  url: string;
  connections: number;
  seconds: number;
  /** Events that one request carries: one comes bare, more as `{events: [...]}`. */
  eventsEach: number;
};

/** The same at a rate, to ingest. The answer is requests a second, too. */
export type Pace = Omit<Flood, "kind" | "path"> & {
  kind: "pace";
  /** Requests a second. */
  rate: number;
};

/**
 * GETs; the answer is every latency in ms. Without a rate every connection asks again once it is answered; with one,
 * each is sent when it is due, and its latency counts from there.
 */
export type Reads = {
  kind: "reads";
  url: string;
  asks: readonly { path: string; token: string }[];
  connections: number;
  seconds: number;
  /** Requests a second. */
  rate?: number | undefined;
};

export type Outcome = { perSecond: number } | { latencies: number[] } | { failed: string };
