import { paths } from "./paths.ts";
import { schemas } from "./schemas.ts";

/** The published surface, out of the schemas that validate. The same input gives the same text. */
export function openapiText(version: string): string {
  return `${JSON.stringify({ openapi: "3.1.0", info: { ...info, version }, ...rest }, null, 2)}\n`;
}

const info = {
  title: "Playhead",
  description:
    "Watch history: where was I, what do I continue. Errors are problem details (RFC 9457); every answer carries `X-Request-Id`.",
  license: { name: "MIT", identifier: "MIT" },
};

const rest = {
  security: [{ bearer: [] }],
  paths,
  components: {
    securitySchemes: {
      bearer: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description:
          "`sub` is the user; `roles`: user (the default), support, service, admin. `exp` is required.",
      },
    },
    schemas,
  },
};
