import { REFUSALS, type RefusalCode } from "../../db/contract/refusals.ts";

/** An answer with a JSON body. */
export function answers(description: string, schema: object, example: unknown, headers?: object): object {
  return {
    description,
    ...(headers ? { headers } : {}),
    content: { "application/json": { schema, example } },
  };
}

/** The refusals of an operation, by status. */
export function problems(...codes: RefusalCode[]): Record<string, object> {
  const byStatus = Map.groupBy([...codes, "internal" as const], (code) => REFUSALS[code].status);
  const inOrder = [...byStatus].toSorted(([a], [b]) => a - b);
  return Object.fromEntries(inOrder.map(([status, its]) => [String(status), problemAnswer(status, its)]));
}

function problemAnswer(status: number, codes: RefusalCode[]): object {
  const retry = { "Retry-After": { description: "Seconds", schema: { type: "integer" } } };
  return {
    description: codes.map((code) => `\`${code}\`: ${REFUSALS[code].title}`).join("; "),
    ...(status === 503 ? { headers: retry } : {}),
    content: { "application/problem+json": { schema: ref("Problem") } },
  };
}

export function ref(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}
