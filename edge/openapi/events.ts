import type * as z from "zod";
import { Envelope } from "../../db/contract/cloud-events.ts";
import { EVENT_DATA, EVENT_TYPES, type EventType, schemaName } from "../../db/contract/event-data.ts";
import { outputSchema } from "./json-schema.ts";

/**
 * The published schemas of the domain events, as one JSON Schema of a whole event; what a type tells is also found by
 * the name that the `dataschema` of its events has. The same contract gives the same text.
 */
export function eventsText(): string {
  const { properties, required = [] } = outputSchema(Envelope);
  const document = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "urn:playhead:events:1",
    title: "Domain events of Playhead",
    description:
      "CloudEvents 1.0 in the JSON format, delivered at least once: an event that comes again has the same `source` and `id`.",
    type: "object",
    properties,
    required: [...required, "data"],
    oneOf: EVENT_TYPES.map((type) => ({
      title: type,
      properties: {
        type: { const: type },
        dataschema: { const: schemaName(type) },
        data: { $ref: schemaName(type) },
      },
    })),
    $defs: Object.fromEntries(EVENT_TYPES.map((type) => [type, dataSchema(type)])),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function dataSchema(type: EventType): object {
  const data: z.ZodType = EVENT_DATA[type];
  return { $id: schemaName(type), ...outputSchema(data) };
}
