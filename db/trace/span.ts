import type { TraceContext } from "../contract/trace-context.ts";

/** What happened, from when to when (milliseconds since 1970), and what caused it. */
export type Span = {
  name: string;
  kind: SpanKind;
  traceId: string;
  spanId: string;
  parentId: string | null;
  start: number;
  end: number;
  failed: boolean;
  attributes: Attributes;
  links: readonly TraceContext[];
};

export type SpanKind = "internal" | "server" | "client" | "consumer";

/** What is known of a span. Nothing that a client sent: names, counts, statuses. */
export type Attributes = Readonly<Record<string, string | number>>;

/** A span that goes on. It is told when it ends, and only if its trace is sampled: all else costs nothing. */
export type OpenSpan = TraceContext & {
  begin: (name: string, kind: SpanKind, attributes?: Attributes) => OpenSpan;
  end: (outcome?: { failed?: boolean; name?: string; attributes?: Attributes }) => void;
};
