import { describe, expect, test } from "vitest";
import type { ContentLibrary } from "../../ingest/library/content-library.ts";
import { contentLines } from "../../ingest/library/content-lines.ts";
import { createLog } from "../../ingest/observe/log.ts";

/** A body that counts what is taken from it, and a catalogue that remembers what it is given. */
function stream({
  lines = 1_000_000,
  hangsUpAfter = Number.POSITIVE_INFINITY,
  perChunk = 1,
  bytes = 0,
} = {}) {
  const seen = { given: 0, cancelled: false, batches: [] as number[] };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let text = "";
        for (let n = 0; n < perChunk && seen.given < lines; n++)
          text += `${`{"content_id":"c${++seen.given}"}`.padEnd(bytes)}\n`;
        if (seen.given > hangsUpAfter) controller.error(new Error("the connection is gone"));
        else if (text === "") controller.close();
        else controller.enqueue(new TextEncoder().encode(text));
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const store: ContentLibrary["store"] = async (contents) => {
    seen.batches.push(contents.length);
    return new Map(contents.map(({ content_id }) => [content_id, "created" as const]));
  };
  const stopping = new AbortController();
  const contents: ContentLibrary = {
    ...{ store, load: async () => null, remove: async () => false, rollups: async () => null },
  };
  const deps = { contents, log: createLog("silent"), stopping: stopping.signal };
  return {
    seen,
    stopping,
    deps,
    results: (its = deps) => ReadableStream.from(contentLines(its, body, "r-1")).getReader(),
  };
}

const textOf = ({ value }: { value?: Uint8Array | undefined }) => new TextDecoder().decode(value);

describe("lines on their way through", () => {
  test("go in batches of 500, however they come", async () => {
    for (const perChunk of [1, 7, 500, 1_300]) {
      const { seen, results } = stream({ lines: 1_300, perChunk });
      const reader = results();
      let answered = 0;
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        answered += textOf(read).trim().split("\n").length;
      }
      expect([perChunk, answered, seen.batches]).toEqual([perChunk, 1_300, [500, 500, 300]]);
    }
  });

  test("go in batches of a megabyte at most", async () => {
    const { seen, results } = stream({ lines: 100, bytes: 60_000 });
    const reader = results();
    while (!(await reader.read()).done);
    expect(seen.batches).toEqual([18, 18, 18, 18, 18, 10]);
  });

  test("are not taken while nobody reads the results", async () => {
    const { seen, results } = stream();
    const reader = results();
    expect(seen.given).toBe(0);
    await reader.read();
    expect(seen.given).toBeLessThanOrEqual(502);
    await reader.read();
    expect(seen.given).toBeLessThanOrEqual(1_002);
    await reader.cancel();
  });

  test("end with the client that reads: nothing more is taken or stored", async () => {
    const { seen, results } = stream();
    const reader = results();
    await reader.read();
    await reader.cancel();
    expect(seen).toMatchObject({ cancelled: true, batches: [500] });
    expect(seen.given).toBeLessThanOrEqual(502);
  });

  test("end with the client that sends: what was in no batch yet is dropped", async () => {
    const { seen, results } = stream({ hangsUpAfter: 700 });
    const reader = results();
    expect(
      textOf(await reader.read())
        .trim()
        .split("\n"),
    ).toHaveLength(500);
    expect((await reader.read()).done).toBe(true);
    expect(seen.batches).toEqual([500]);
  });

  test("end when the process stops, with what comes next", async () => {
    const { seen, stopping, results } = stream();
    const reader = results();
    await reader.read();
    stopping.abort();
    expect(JSON.parse(textOf(await reader.read()))).toMatchObject({
      line: 501,
      status: "failed",
      code: "unavailable",
    });
    expect((await reader.read()).done).toBe(true);
    expect(seen).toMatchObject({ cancelled: true, batches: [500] });
  });

  test("end with what nobody expected, which says only the id of the request", async () => {
    const { seen, deps, results } = stream();
    const store = () => Promise.reject(new TypeError("secret of the house"));
    const reader = results({ ...deps, contents: { ...deps.contents, store } });
    const said = textOf(await reader.read());
    expect(JSON.parse(said)).toMatchObject({
      line: 1,
      status: "failed",
      code: "internal",
      request_id: "r-1",
    });
    expect(said).not.toContain("secret");
    expect((await reader.read()).done).toBe(true);
    expect(seen.cancelled).toBe(true);
  });
});
