import type { ExecutionContext, Hono } from "hono";
import { problem } from "../db/contract/refusals.ts";
import { createApp } from "./app.ts";
import { edgeDeps } from "./build.ts";
import type { EdgeEnv } from "./deps.ts";
import { edgeConfig } from "./env.ts";
import type { RateLimitBinding } from "./limit.ts";
import { consoleLog } from "./log.ts";
import { tracesOfWorker } from "./watching.ts";

type WorkerEnv = Record<string, unknown> & {
  ASSETS: { fetch(request: Request): Promise<Response> };
  RATE_LIMITER?: RateLimitBinding;
};

/** One app per isolate. It holds no connection and no promise of a request, so that all requests may share it. */
let app: Hono<EdgeEnv> | undefined;

export default {
  async fetch(request: Request, env: WorkerEnv, context: ExecutionContext): Promise<Response> {
    try {
      app ??= workerApp(env);
    } catch (error) {
      // Variables are named in it, and none of their values.
      consoleLog("error", error instanceof Error ? error.message : "the Worker cannot start");
      const { status, headers, body } = problem(error, crypto.randomUUID());
      return new Response(body, { status, headers });
    }
    return await app.fetch(request, {}, context);
  },
};

function workerApp(env: WorkerEnv): Hono<EdgeEnv> {
  const config = edgeConfig(env);
  const deps = edgeDeps(config, (asked) => env.ASSETS.fetch(asked), { rateLimiter: env.RATE_LIMITER });
  return createApp({ ...deps, watching: tracesOfWorker(config.traces) });
}
