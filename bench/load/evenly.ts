import { setTimeout as sleep } from "node:timers/promises";

/**
 * Sends each request when it is due, whether or not the earlier ones were answered: autocannon's rate is a burst
 * at the beginning of every second. The first that fails, fails it all, once every other one was answered.
 *
 * @param send gets its number, and when it was due (by `performance.now`).
 * @returns how many were sent, once every one of them was answered.
 */
export async function evenly(
  rate: number,
  seconds: number,
  send: (nth: number, due: number) => Promise<void>,
): Promise<number> {
  const answers: Promise<void>[] = [];
  const failures: unknown[] = [];
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1_000;
  while (elapsed() < seconds) {
    while (answers.length < rate * elapsed()) {
      const due = start + (answers.length / rate) * 1_000;
      answers.push(send(answers.length, due).catch((error) => void failures.push(error)));
    }
    await sleep(1);
  }
  await Promise.all(answers);
  if (failures.length > 0) throw failures[0];
  return answers.length;
}
