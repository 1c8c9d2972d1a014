import * as z from "zod";
import { url } from "../environment.ts";

/** `key=value` pairs separated by commas, each percent-encoded, as OpenTelemetry writes them. */
const pairs = z.string().transform((text, context) => {
  const found: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    const decoded = value === undefined ? null : decodedOf(value);
    if (key === undefined || decoded === null) {
      context.addIssue({ code: "custom", message: "key=value pairs separated by commas, percent-encoded" });
      return z.NEVER;
    }
    found[key] = decoded;
  }
  return found;
});

/** OpenTelemetry's own variables, as far as they mean something here. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: url("http:", "https:")
    .transform((text) => text.replace(/\/+$/, ""))
    .optional()
    .describe("The collector of traces (OTLP/HTTP, without /v1/traces); unset: traces are off"),
  OTEL_EXPORTER_OTLP_HEADERS: pairs
    .optional()
    .describe("Headers for the collector, key=value separated by commas; they may be secret"),
  OTEL_TRACES_EXPORTER: z
    .enum(["otlp", "none"])
    .default("otlp")
    .describe("none: traces are off all the same"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("Share of traces that begin here and are recorded; those of others are when they say so"),
  OTEL_SERVICE_NAME: z
    .string()
    .optional()
    .describe("Name of the process in traces: playhead-edge, playhead-ingest"),
  OTEL_RESOURCE_ATTRIBUTES: pairs
    .optional()
    .describe("What else is known of the process, key=value separated by commas"),
};

/** Where spans go, how many, and in whose name; null when traces are off. */
export type TraceConfig = {
  url: string;
  headers: Readonly<Record<string, string>>;
  ratio: number;
  resource: Readonly<Record<string, string>>;
};

/** @param service its name unless the variables say another. */
export function traceConfigOf(its: TraceVariables, service: string): TraceConfig | null {
  const endpoint = its.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined || its.OTEL_TRACES_EXPORTER === "none") return null;
  return {
    url: `${endpoint}/v1/traces`,
    headers: its.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    ratio: its.OTEL_TRACES_SAMPLER_ARG,
    resource: {
      "service.name": service,
      ...its.OTEL_RESOURCE_ATTRIBUTES,
      ...(its.OTEL_SERVICE_NAME === undefined ? {} : { "service.name": its.OTEL_SERVICE_NAME }),
    },
  };
}

function decodedOf(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

type TraceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_HEADERS?: Record<string, string> | undefined;
  OTEL_TRACES_EXPORTER: "otlp" | "none";
  OTEL_TRACES_SAMPLER_ARG: number;
  OTEL_SERVICE_NAME?: string | undefined;
  OTEL_RESOURCE_ATTRIBUTES?: Record<string, string> | undefined;
};
