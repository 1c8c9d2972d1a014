import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A collector of traces: a real server that takes OTLP/HTTP in JSON, and nothing that is not well formed. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const faults: string[] = [];
  const headers: Record<string, unknown>[] = [];
  const collector = { status: 200, hangs: false };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      headers.push(request.headers);
      if (collector.hangs) return;
      try {
        if (request.method !== "POST" || request.url !== "/v1/traces")
          throw new Error(`asked ${request.url}`);
        if (request.headers["content-type"] !== "application/json") throw new Error("not JSON");
        if (collector.status === 200) spans.push(...spansIn(JSON.parse(Buffer.concat(chunks).toString())));
      } catch (error) {
        faults.push(String(error));
      }
      response.writeHead(collector.status, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(collector, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ spans, faults, headers },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}

/** As opentelemetry-proto's trace.proto has them, in its JSON form. */
function spansIn(body: OtlpBody): CollectedSpan[] {
  return body.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => {
        if (scope.name !== "playhead") throw new Error(`a scope ${scope.name}`);
        const ids = [
          span.traceId,
          span.spanId,
          ...(span.parentSpanId === undefined ? [] : [span.parentSpanId]),
        ];
        const sized = ids.every((id, at) => new RegExp(`^[0-9a-f]{${at === 0 ? 32 : 16}}$`).test(id));
        const times = [span.startTimeUnixNano, span.endTimeUnixNano];
        const timed =
          times.every((time) => /^\d{19}$/.test(time)) && BigInt(times[0] ?? 0) <= BigInt(times[1] ?? 0);
        if (!sized || !timed) throw new Error(`not a span: ${JSON.stringify(span)}`);
        return {
          ...{ name: span.name, kind: span.kind, traceId: span.traceId, spanId: span.spanId },
          parentId: span.parentSpanId ?? null,
          failed: span.status.code === 2,
          links: span.links.map(({ traceId, spanId }) => `${traceId}-${spanId}`),
          attributes: valuesOf(span.attributes),
          resource: valuesOf(resource.attributes),
        };
      }),
    ),
  );
}

function valuesOf(attributes: KeyValue[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ??
        (value.intValue === undefined ? (value.doubleValue ?? Number.NaN) : Number(value.intValue)),
    ]),
  );
}

export type Collector = {
  url: string;
  spans: CollectedSpan[];
  /** What it was sent that is no OTLP. */
  faults: string[];
  /** Of every request. */
  headers: Record<string, unknown>[];
  status: number;
  hangs: boolean;
  stop(): Promise<void>;
};

export type CollectedSpan = {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentId: string | null;
  failed: boolean;
  /** Each `<trace id>-<span id>`. */
  links: string[];
  attributes: Record<string, string | number>;
  resource: Record<string, string | number>;
};

type KeyValue = { key: string; value: { stringValue?: string; intValue?: string; doubleValue?: number } };
type OtlpBody = {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: {
      scope: { name: string };
      spans: {
        name: string;
        kind: number;
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes: KeyValue[];
        links: { traceId: string; spanId: string }[];
        status: { code?: number };
      }[];
    }[];
  }[];
};
