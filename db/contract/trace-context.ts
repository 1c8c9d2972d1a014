/** Where something stands in a trace, as W3C Trace Context tells it from one process to the next. */
export type TraceContext = {
  /** 32 digits of lower-case hex, as in logs. */
  traceId: string;
  /** 16 digits. */
  spanId: string;
  /** Somebody records this trace. */
  sampled: boolean;
};

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;

/** What a `traceparent` says; null when there is none, or none that may be believed: then a trace begins here. */
export function readTraceparent(header: string | null | undefined): TraceContext | null {
  if (!header) return null;
  const [, version, traceId = "", spanId = "", flags = "", more] = FORM.exec(header) ?? [];
  if (version === undefined || version === "ff" || NOTHING.test(traceId) || NOTHING.test(spanId)) return null;
  if (version === "00" && more !== undefined) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}
