import { AsyncLocalStorage } from "node:async_hooks";
import { traceparent } from "../../db/contract/trace-context.ts";
import type { Attributes, OpenSpan } from "../../db/trace/span.ts";

/**
 * What is going on: one request, or one turn. Whatever is logged and whichever store is asked meanwhile belongs to it,
 * without being told. It holds nothing by itself, so that any number of services may share it.
 */
const ambient = new AsyncLocalStorage<Ambient>();

type Ambient = {
  /** What every line that is logged meanwhile says. */
  fields: Readonly<Record<string, string>>;
  /** Null when nobody records it. */
  span: OpenSpan | null;
};

export function within<T>(its: Ambient, work: () => T): T {
  return ambient.run(its, work);
}

/** For what is done for many at once, by whoever happened to come first. */
export function outside<T>(work: () => T): T {
  return ambient.exit(work);
}

export function loggedFields(): Readonly<Record<string, string>> {
  return ambient.getStore()?.fields ?? NO_FIELDS;
}

/** For a message to another process that goes on with this trace; null when nobody records it. */
export function recordedTraceparent(): string | null {
  const span = ambient.getStore()?.span;
  return span ? traceparent(span) : null;
}

/**
 * Work as a span of what is going on: a step, a question to a store. Free when nobody records it.
 *
 * @param name and attributes hold nothing that a client sent.
 */
export function spanned<T>(
  name: string | (() => string),
  work: () => Promise<T>,
  attributes?: Attributes,
): Promise<T> {
  const now = ambient.getStore();
  if (!now?.span) return work();
  return recorded(now, now.span, typeof name === "string" ? name : name(), work, attributes);
}

async function recorded<T>(
  { fields }: Ambient,
  parent: OpenSpan,
  name: string,
  work: () => Promise<T>,
  attributes?: Attributes,
): Promise<T> {
  const span = parent.begin(name, attributes?.["db.system.name"] ? "client" : "internal", attributes);
  try {
    const result = await within({ fields, span }, work);
    span.end();
    return result;
  } catch (error) {
    span.end({ failed: true });
    throw error;
  }
}

const NO_FIELDS = {};
