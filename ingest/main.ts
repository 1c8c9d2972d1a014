import { ingestConfig } from "./config.ts";
import { createLog } from "./observe/log.ts";
import { createService } from "./service.ts";

/** A stop that takes longer than this is forced; what was not finished comes again. */
const FORCE_AFTER_MS = 15_000;

async function main(): Promise<void> {
  const config = ingestConfig(process.env);
  const log = createLog(config.logLevel);
  const service = createService(config, log);

  const stop = async (signal: string) => {
    log.info({ signal }, "stopping");
    setTimeout(() => process.exit(1), FORCE_AFTER_MS).unref();
    await service.stop();
    log.info("stopped");
  };
  process.once("SIGTERM", (signal) => void stop(signal));
  process.once("SIGINT", (signal) => void stop(signal));

  const { port } = await service.start();
  log.info({ port }, "listening");
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
