import { Gauge, Histogram, type Registry } from "prom-client";
import { LATENCIES } from "./buckets.ts";

export type RequestMetrics = {
  /** A request has come. What it returns is to be called when it is answered. */
  requestBegan: () => (kind: "read" | "write", status: number, ms: number) => void;
};

/** How long answers take, by kind and by the first digit of their status. */
export function requestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    ...{ name: "playhead_request_seconds", registers, labelNames: ["kind", "status"], buckets: LATENCIES },
    help: "How long ingest takes to answer reads and writes, by status (2xx)",
  });
  let inFlight = 0;
  new Gauge({
    ...{ name: "playhead_requests_in_flight", registers },
    help: "Requests that ingest is answering now",
    collect() {
      this.set(inFlight);
    },
  });
  // Looked up once: every request pays for this. And a series that appears with its first failure would have no rate
  // until the second one.
  const of = (kind: "read" | "write") =>
    Array.from({ length: 6 }, (_, digit) => {
      const its = { kind, status: `${digit}xx` };
      if ([2, 4, 5].includes(digit)) seconds.zero(its);
      return seconds.labels(its);
    });
  const series = { read: of("read"), write: of("write") };
  return {
    requestBegan() {
      inFlight++;
      return (kind, status, ms) => {
        inFlight--;
        series[kind][Math.floor(status / 100)]?.observe(ms / 1_000);
      };
    },
  };
}
