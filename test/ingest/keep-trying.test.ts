import { describe, expect, test } from "vitest";
import { keepTrying, rest } from "../../ingest/keep-trying.ts";
import { createLog } from "../../ingest/observe/log.ts";

const log = createLog("silent");

describe("keepTrying", () => {
  test("fails twice, then succeeds", async () => {
    let tries = 0;
    const work = async () => {
      tries++;
      if (tries < 3) throw new Error("away");
      return tries;
    };
    expect(await keepTrying("test", work, { signal: new AbortController().signal, log })).toBe(3);
  });

  test("does not try again what is hopeless", async () => {
    let tries = 0;
    const work = async () => {
      tries++;
      throw new Error("poison");
    };
    const options = { signal: new AbortController().signal, log, hopeless: () => true };
    await expect(keepTrying("test", work, options)).rejects.toThrow("poison");
    expect(tries).toBe(1);
  });

  test("gives up when the signal comes, with the error that it had", async () => {
    const stopping = new AbortController();
    const work = async () => {
      stopping.abort();
      throw new Error("away");
    };
    await expect(keepTrying("test", work, { signal: stopping.signal, log })).rejects.toThrow("away");
  });

  test("a rest ends with the signal", async () => {
    const stopping = new AbortController();
    const resting = rest(1e9, stopping.signal);
    stopping.abort();
    await expect(resting).resolves.toBeUndefined();
  });
});
