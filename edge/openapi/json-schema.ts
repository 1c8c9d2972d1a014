import * as z from "zod";

/** What is taken, as JSON Schema. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  return plain(z.toJSONSchema(schema, { io: "input" }), { open: false });
}

/** What is told, as JSON Schema. */
export function outputSchema(schema: z.ZodType): JsonSchema {
  return plain(z.toJSONSchema(schema, { io: "output" }), { open: true });
}

/**
 * Patterns that only repeat a `format` are left out: they are hundreds of characters long. So is the promise that
 * an answer will never have more members.
 */
function plain(schema: object, { open }: { open: boolean }): JsonSchema {
  const text = JSON.stringify(schema, (key, value) => {
    if (key === "$schema" || (open && key === "additionalProperties" && value === false)) return undefined;
    if (typeof value !== "object" || value === null || !("format" in value)) return value;
    const { pattern: _, ...rest } = value;
    return rest;
  });
  return JSON.parse(text) as JsonSchema;
}

export type JsonSchema = { properties?: unknown; required?: string[]; [key: string]: unknown };
