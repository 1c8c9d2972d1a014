/** Runs a command: what it throws is said in words on stderr, and the exit code is 1. */
export async function run(command: () => Promise<number | undefined>): Promise<void> {
  try {
    process.exitCode = (await command()) ?? 0;
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}

/** The words of an error. One that wraps several, as a refused connection to two addresses does, has none itself. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
