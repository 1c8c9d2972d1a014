import type { TraceContext } from "../contract/trace-context.ts";
import type { Attributes, OpenSpan, Span, SpanKind } from "./span.ts";

/** Begins traces, and goes on with those of others. The same on every runtime. */
export type Tracer = {
  /**
   * A span of this process that no other one of it is part of. It is sampled when its parent is or, without a parent,
   * when one of its links is; what has neither is sampled by its trace id, in a share of all cases.
   */
  begin: (name: string, kind: SpanKind, its: Beginning) => OpenSpan;
};

export type Beginning = { parent?: TraceContext | null; links?: readonly TraceContext[] };

/** @param ratio the share of traces that begin here and are sampled, from 0 to 1. */
export function createTracer(ratio: number, tell: (span: Span) => void): Tracer {
  function open(name: string, kind: SpanKind, its: Opening): OpenSpan {
    const { traceId, sampled, parentId, links } = its;
    const spanId = randomHex(8);
    if (!sampled) return unsampled({ traceId, spanId, sampled });
    const start = now();
    const known = { ...its.attributes };
    return {
      ...{ traceId, spanId, sampled },
      begin: (name, kind, attributes = {}) =>
        open(name, kind, { traceId, sampled, parentId: spanId, links: [], attributes }),
      end({ failed = false, name: better = name, attributes = {} } = {}) {
        const span = { name: better, kind, traceId, spanId, parentId, start, end: now(), failed, links };
        tell({ ...span, attributes: { ...known, ...attributes } });
      },
    };
  }

  return {
    begin(name, kind, { parent = null, links = [] }) {
      const traceId = parent?.traceId ?? newTraceId();
      const linked = links.some((link) => link.sampled);
      const sampled = parent ? parent.sampled : linked || isChosen(traceId, ratio);
      return open(name, kind, { traceId, sampled, parentId: parent?.spanId ?? null, links, attributes: {} });
    },
  };
}

/** For logs, where nobody records traces but lines of several processes are to be joined. */
export function newTraceId(): string {
  return randomHex(16);
}

/** A place in a trace that nobody records. */
export function unsampled(context: TraceContext): OpenSpan {
  const its: OpenSpan = { ...context, begin: () => its, end: () => {} };
  return its;
}

/** Part of the id is the lot, so that everybody who is asked with the same ratio decides the same. */
function isChosen(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) / 2 ** 32 < ratio;
}

export function randomHex(bytes: number): string {
  let hex = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) hex += DIGITS[byte];
  return hex;
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function now(): number {
  return performance.timeOrigin + performance.now();
}

type Opening = {
  traceId: string;
  sampled: boolean;
  parentId: string | null;
  links: readonly TraceContext[];
  attributes: Attributes;
};
