import { REFUSALS, type RefusalCode } from "../../db/contract/refusals.ts";

/** An answer with a JSON body. */
export function answers(description: string, schema: object, example: unknown, headers?: object): object {
  return {
    description,
    ...(headers ? { headers } : {}),
    content: { "application/json": { schema, example } },
  };
}

/**
 * The refusals of an operation, by status. Who needs a token for it may not ask too often, and who sends a body may not
 * take too long.
 */
export function problems(...codes: RefusalCode[]): Record<string, object> {
  const all = new Set<RefusalCode>([...codes, "internal"]);
  if (all.has("unauthorized")) all.add("rate_limited");
  if (all.has("body_too_large")) all.add("body_too_slow");
  const byStatus = Map.groupBy(all, (code) => REFUSALS[code].status);
  const inOrder = [...byStatus].toSorted(([a], [b]) => a - b);
  return Object.fromEntries(inOrder.map(([status, its]) => [String(status), problemAnswer(status, its)]));
}

function problemAnswer(status: number, codes: RefusalCode[]): object {
  const retry = { "Retry-After": { description: "Seconds", schema: { type: "integer" } } };
  return {
    description: codes.map((code) => `\`${code}\`: ${REFUSALS[code].title}`).join("; "),
    ...(status === 503 ? { headers: retry } : {}),
    ...(status === 429 ? { headers: { ...retry, ...RATE } } : {}),
    content: { "application/problem+json": { schema: ref("Problem") } },
  };
}

const RATE = {
  RateLimit: {
    description: 'Requests that are left, and in how many seconds there will be more: `"user";r=0;t=12`',
    schema: { type: "string" },
  },
  "RateLimit-Policy": {
    description: 'How many there may be in so many seconds: `"user";q=200;w=60`',
    schema: { type: "string" },
  },
};

export function ref(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}
