import { createServer, type Server } from "node:http";
import { Counter, Histogram, Registry } from "prom-client";
import type { Answered } from "./deps.ts";

/** Seconds, as ingest has them. */
const LATENCIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What an edge that is a process counts. A Worker has no place to be scraped at: its platform counts requests. */
export function edgeMetrics(): EdgeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const seconds = new Histogram({
    ...{
      name: "playhead_edge_request_seconds",
      registers,
      labelNames: ["kind", "status"],
      buckets: LATENCIES,
    },
    help: "How long the edge takes to answer reads and writes, by status (2xx)",
  });
  const reads = new Counter({
    ...{ name: "playhead_edge_cache_total", registers, labelNames: ["cache"] },
    help: "Reads by what the views knew: hit, cold (not all of it, ingest did), away (Redis did not answer)",
  });
  const limited = new Counter({
    ...{ name: "playhead_edge_limited_total", registers },
    help: "Requests that the edge answered with 429, because their user asks too often",
  });
  for (const kind of ["read", "write"]) {
    for (const status of ["2xx", "4xx", "5xx"]) seconds.zero({ kind, status });
  }
  for (const cache of ["hit", "cold", "away"]) reads.inc({ cache }, 0);
  return {
    answered({ kind, status, ms, cache }) {
      seconds.observe({ kind, status: `${Math.floor(status / 100)}xx` }, ms / 1_000);
      if (cache) reads.inc({ cache });
      if (status === 429) limited.inc();
    },
    text: async () => ({ type: registry.contentType, body: await registry.metrics() }),
  };
}

/** `GET /metrics` on a port of its own, so that nobody reaches it through the edge. */
export function metricsServer({ text }: EdgeMetrics): Server {
  return createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") return void response.writeHead(404).end();
    text().then(
      ({ type, body }) =>
        response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body),
      () => response.writeHead(500).end(),
    );
  });
}

export type EdgeMetrics = {
  answered: (answer: Answered) => void;
  text: () => Promise<{ type: string; body: string }>;
};
