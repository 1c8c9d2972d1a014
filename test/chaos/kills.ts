import type { Random } from "../replay/random.ts";
import type { Server } from "../support/server.ts";
import type { Stack } from "../support/stack.ts";

/** Who is killed, and how often. */
export type Kills = { ingest: number; redis: number; postgres: number };

/** The victims in the order of their deaths; the ingests take turns, so that both roles of theirs are hit. */
export function victims({ ingests, redis, postgres }: Stack, kills: Kills, random: Random): Server[] {
  const taking = (servers: readonly Server[], times: number) =>
    Array.from({ length: times }, (_, n) => servers[n % servers.length]).filter((one) => one !== undefined);
  return random.shuffled([
    ...taking(ingests, kills.ingest),
    ...taking([redis], kills.redis),
    ...taking([postgres], kills.postgres),
  ]);
}

/**
 * Kills one server after the other and starts each again, spread over the whole of the traffic.
 *
 * The traffic is cut into stretches, one a death and one for afterwards. Each death comes a little into its stretch,
 * and the next stretch begins only when the server is back: so every one of them meets traffic, however fast this
 * machine is.
 */
export function createReaper(options: {
  deaths: readonly Server[];
  events: number;
  say: (line: string) => void;
}) {
  const { deaths, events, say } = options;
  const stretch = events / (deaths.length + 1);
  let sent = 0;
  let done = 0;
  let wake = Promise.withResolvers<void>();
  const moved = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const beyond = (line: number) => sent >= line;

  return {
    onSent(count: number): void {
      sent += count;
      moved();
    },
    /** Resolves when the traffic may go on: at once, unless it has run ahead of the deaths. */
    admit(): Promise<void> | undefined {
      if (done === deaths.length || !beyond((done + 1) * stretch)) return undefined;
      return (async () => {
        while (done < deaths.length && beyond((done + 1) * stretch)) await wake.promise;
      })();
    },
    /** Resolves when all have died and are back. @throws when one does not come back. */
    async reap(): Promise<void> {
      try {
        for (const server of deaths) {
          while (!beyond((done + 0.2) * stretch)) await wake.promise;
          const from = performance.now();
          const at = sent;
          await server.kill();
          await server.restart();
          const ms = Math.round(performance.now() - from);
          done++;
          say(
            `${done} of ${deaths.length}: ${server.name} killed after ${at} events, back after ${ms} ms, ${sent - at} events meanwhile`,
          );
          moved();
        }
      } finally {
        done = deaths.length;
        moved();
      }
    },
  };
}
