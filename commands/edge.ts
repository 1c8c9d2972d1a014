import { edgeConfig } from "../edge/env.ts";
import { edgeProgram } from "./local/edge-program.ts";
import { claim } from "./local/listener.ts";
import { spawnPart } from "./local/part.ts";
import { dataDir, type Env } from "./local/paths.ts";
import { run } from "./local/run.ts";
import { runCrew } from "./local/run-crew.ts";
import { RUNTIMES, type Runtime } from "./local/settings.ts";

/** `npm run edge`: the edge alone, with the environment as it is, on EDGE_RUNTIME. */
await run(async () => {
  const { env } = process;
  const runtime = runtimeIn(env);
  const listen = await claim("EDGE_PORT", edgeConfig(env).http);
  const program = edgeProgram({ runtime, listen, dataDir: dataDir(env), env });
  return await runCrew(async (crew) => void crew.join(spawnPart({ name: "the edge", ...program })));
});

function runtimeIn(env: Env): Runtime {
  const name = env.EDGE_RUNTIME || "workerd";
  const runtime = RUNTIMES.find((known) => known === name);
  if (runtime === undefined) throw new Error(`EDGE_RUNTIME: one of ${RUNTIMES.join(", ")}`);
  return runtime;
}
