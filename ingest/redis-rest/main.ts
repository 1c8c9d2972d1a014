import { readDoorConfig } from "./config.ts";
import { startDoor } from "./door.ts";

/** The door as a process of its own: settings from the environment, until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const door = await startDoor({
    ...readDoorConfig(process.env),
    onError: (error) => console.error(`redis-rest: ${messageOf(error)}`),
  });
  console.log(`redis-rest: listening on ${door.url}`);

  const stop = () => {
    setTimeout(() => process.exit(1), 5_000).unref();
    void door.stop();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
