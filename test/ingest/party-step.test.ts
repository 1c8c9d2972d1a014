import fc from "fast-check";
import { expect, test } from "vitest";
import type { UserId } from "../../db/contract/ids.ts";
import { type ClockSample, clockOffset } from "../../edge/client/party/clock.ts";
import { dueAt } from "../../ingest/party/reduce.ts";
import type { RoomMessage } from "../../ingest/party/room.ts";
import { positionAt } from "../../ingest/party/step.ts";
import { randomFrom } from "../replay/random.ts";
import { type KnownRoom, learn, nothingKnown, OPENED, roomOf } from "../support/party-room.ts";

const JITTER_MS = 200;
const WRONG_BY_MS = 1_500;
const TOGETHER_MS = 150;

type Player = { user: UserId; error: number; offset: number; known: KnownRoom };

/** Players with wrong clocks around one room, where everything that is said takes its time. */
function startSimulation(errors: readonly number[], delay: () => number) {
  const its = roomOf();
  let now = OPENED;
  const agenda: { at: number; act: () => void }[] = [];
  const later = (ms: number, act: () => void) => void agenda.push({ at: now + ms, act });
  const players = errors.map((error, n): Player => {
    const user = (n === 0 ? "owner" : `player-${n}`) as UserId;
    return { user, error, offset: 0, known: nothingKnown() };
  });

  function tell(message: RoomMessage): void {
    const said = its.tell(message, now);
    if (typeof said === "string") throw new Error(said);
    for (const send of said) {
      for (const { user, known } of players) {
        if (send.to !== undefined && send.to !== `p:${user}`) continue;
        later(delay(), () => learn(known, send));
      }
    }
    const due = dueAt(its.room);
    if (due !== null) later(Math.max(0, due - now), () => tell({ type: "tick" }));
  }

  function run(ms: number): void {
    const end = now + ms;
    for (;;) {
      agenda.sort((a, b) => a.at - b.at);
      const next = agenda[0];
      if (next === undefined || next.at > end) break;
      agenda.shift();
      now = next.at;
      next.act();
    }
    now = end;
  }

  /** Each asks the server's clock eight times, by a clock of its own that is wrong. */
  for (const player of players) {
    const samples: ClockSample[] = [];
    for (let n = 0; n < 8; n++) {
      const there = delay();
      const back = delay();
      const sent_at = now + player.error;
      samples.push({ sent_at, server_time: now + there, received_at: sent_at + there + back });
    }
    player.offset = clockOffset(samples);
    later(delay(), () =>
      tell({ type: "join", connection: `p:${player.user}`, user_id: player.user, name: null }),
    );
  }

  return {
    run,
    room: () => its.room,
    /** Until what is played is as it should be, from the moment that was said for it. */
    runUntil(playing: boolean): void {
      do run(1);
      while (its.room.playback.playing !== playing || now < its.room.playback.at);
    },
    command: (message: RoomMessage) => later(delay(), () => tell(message)),
    allReady: () => {
      for (const { user } of players) {
        later(delay(), () => tell({ type: "ready", connection: `p:${user}`, revision: its.room.revision }));
      }
    },
    /** How far the first player is ahead of the last, in milliseconds of the film. */
    apart(): number {
      const positions = players.map(({ error, offset, known }) =>
        known.state === null ? Number.NaN : positionAt(known.state, now + error + offset),
      );
      return (Math.max(...positions) - Math.min(...positions)) * 1_000;
    },
  };
}

test("with clocks that are wrong and words that come late, all play together after a play, a pause and a seek", () => {
  const error = fc.integer({ min: -WRONG_BY_MS, max: WRONG_BY_MS });
  fc.assert(
    fc.property(fc.array(error, { minLength: 2, maxLength: 12 }), fc.string(), (errors, seed) => {
      const { between } = randomFrom(seed);
      const simulation = startSimulation(errors, () => between(0, JITTER_MS));
      const owner = "p:owner";
      const together = (ms: number) => {
        for (let passed = 0; passed < ms; passed += 250) {
          simulation.run(250);
          expect(simulation.apart()).toBeLessThan(TOGETHER_MS);
        }
      };
      simulation.run(1_000);
      const revision = () => simulation.room().revision;

      simulation.command({ type: "play", connection: owner, revision: revision() });
      simulation.run(JITTER_MS);
      simulation.allReady();
      simulation.runUntil(true);
      together(10_000);

      simulation.command({ type: "pause", connection: owner, revision: revision() });
      simulation.runUntil(false);
      expect(simulation.apart()).toBe(0);
      simulation.command({ type: "play", connection: owner, revision: revision() });
      simulation.runUntil(true);
      together(5_000);

      simulation.command({ type: "seek", connection: owner, revision: revision(), position: 600 });
      simulation.runUntil(false);
      expect(simulation.apart()).toBe(0);
      simulation.allReady();
      simulation.runUntil(true);
      together(5_000);
      expect(simulation.room().playback.playing).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("the quickest question and the quickest answer say how far the clocks are apart", () => {
  expect(clockOffset([])).toBe(0);
  expect(clockOffset([{ sent_at: 0, server_time: 1_550, received_at: 100 }])).toBe(1_500);
  const slowThere = { sent_at: 0, server_time: 3_500, received_at: 2_010 };
  const slowBack = { sent_at: 0, server_time: 1_510, received_at: 2_000 };
  expect(clockOffset([slowThere, slowBack])).toBe(1_500);
  // A clock that was set right meanwhile: what is long ago says nothing any more.
  expect(
    clockOffset([slowBack, ...Array.from({ length: 8 }, () => ({ ...slowThere, server_time: 2_010 }))]),
  ).toBe(1_005);
});
