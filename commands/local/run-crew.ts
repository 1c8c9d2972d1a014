import { type Crew, createCrew, StopRequested } from "./crew.ts";
import { onStop } from "./on-stop.ts";
import { messageOf } from "./run.ts";

/**
 * Brings a crew up and waits until somebody asks for a stop, or one part ends by itself; then stops
 * what is left. Stopped in either way, no process is left behind.
 *
 * @returns the exit code: 0 only when the stop was asked for.
 */
export async function runCrew(bringUp: (crew: Crew) => Promise<void>): Promise<number> {
  const crew = createCrew();
  onStop(
    () => crew.end(new StopRequested()),
    () => void crew.kill().finally(() => process.exit(1)),
  );
  try {
    await bringUp(crew);
  } catch (error) {
    crew.end(error);
  }
  const why = await crew.ended();
  const wanted = why instanceof StopRequested;
  if (!wanted) console.error(messageOf(why));
  await crew.stop((name) => console.log(`Stopping ${name}`));
  return wanted ? 0 : 1;
}
