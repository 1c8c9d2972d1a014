import { createAdaptorServer } from "@hono/node-server";
import { Redis } from "@upstash/redis/cloudflare";
import { Hono } from "hono";
import { bearerToken } from "../../db/contract/access.ts";
import { createApp } from "../../edge/app.ts";
import { edgeDeps } from "../../edge/build.ts";
import { edgeConfig } from "../../edge/env.ts";
import { publicFiles } from "../../edge/files.ts";

/**
 * The edge as `edge/node.ts` starts it, and beside it, in the same process on another port, the least that a read
 * of somebody's own data can be: the token is verified by the same code with the same memory, and one GET goes
 * through the same door with the same client. What it brings goes out as it is.
 */
function main(env: NodeJS.ProcessEnv): void {
  const config = edgeConfig(env);
  const deps = edgeDeps(config, publicFiles);
  const { url, token } = config.redis;
  const client = new Redis({
    url,
    token,
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    readYourWrites: false,
    responseEncoding: false,
    retry: { retries: 0 },
    signal: () => AbortSignal.timeout(1_500),
  });

  const bare = new Hono();
  bare.get("/values/:key", async (c) => {
    await deps.verifyToken(bearerToken(c.req.header("authorization")));
    const value = await client.get<string>(c.req.param("key"));
    return value === null ? c.notFound() : c.body(value, 200, { "content-type": "application/json" });
  });

  createAdaptorServer({ fetch: bare.fetch }).listen(Number(env.BARE_PORT), "127.0.0.1", () => {
    createAdaptorServer({ fetch: createApp(deps).fetch }).listen(config.http.port, "127.0.0.1", () => {
      console.log(`listening on http://127.0.0.1:${config.http.port}`);
    });
  });
}

process.once("SIGTERM", () => process.exit());
main(process.env);
