import { expect, test } from "vitest";
import type { Server } from "../support/server.ts";
import { until } from "../support/until.ts";
import { createReaper } from "./kills.ts";

test("traffic waits for a server that is not back yet, and every death meets traffic", async () => {
  const back = Promise.withResolvers<void>();
  const log: string[] = [];
  const deaths = [fakeServer("first", log, back.promise), fakeServer("second", log)];
  const reaper = createReaper({ deaths, events: 30, say: () => {} });
  const reaping = reaper.reap();

  expect(reaper.admit()).toBeUndefined();
  reaper.onSent(9);
  await until(() => log.length === 1);
  expect(reaper.admit()).toBeUndefined();

  reaper.onSent(3);
  let admitted = false;
  const waiting = reaper.admit()?.then(() => {
    admitted = true;
  });
  expect(admitted).toBe(false);
  back.resolve();
  await waiting;
  reaper.onSent(9);
  await reaping;
  expect(log).toEqual(["first killed", "first back", "second killed", "second back"]);
  expect(reaper.admit()).toBeUndefined();
});

test("a server that does not come back ends the run, and holds no traffic up", async () => {
  const gone = fakeServer("gone", [], Promise.reject(new Error("port taken")));
  const reaper = createReaper({ deaths: [gone], events: 2, say: () => {} });
  reaper.onSent(1);
  const waiting = reaper.admit();
  await expect(reaper.reap()).rejects.toThrow("port taken");
  await waiting;
});

function fakeServer(name: string, log: string[], back: Promise<void> = Promise.resolve()): Server {
  return {
    name,
    url: "",
    kill: async () => void log.push(`${name} killed`),
    restart: async () => {
      await back;
      log.push(`${name} back`);
    },
    stop: async () => {},
    lastWords: () => "",
  };
}
