import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { IngestUnreachable } from "../../edge/ingest.ts";
import { pipeAt } from "../../edge/pipe.ts";
import { type FakeIngest, startFakeIngest } from "../support/fake-ingest.ts";
import { bodyOf } from "../support/ndjson.ts";
import { until } from "../support/until.ts";

let ingest: FakeIngest;
beforeAll(async () => {
  ingest = await startFakeIngest();
});
afterEach(() => {
  ingest.asked.length = 0;
  ingest.answer = () => ({ status: 200, body: "said\n" });
});
afterAll(() => ingest.stop());

function pipe(body: ReadableStream<Uint8Array> | null, deadlineMs = 60_000): Promise<Response> {
  const headers = { "content-type": "application/x-ndjson", "x-request-id": "r-1" };
  return pipeAt(ingest.url)({ method: "POST", path: "/contents?a=b", headers, body, deadlineMs });
}

test("the very same bytes arrive, with the headers, and the answer comes back", async () => {
  ingest.answer = () => ({ status: 207, headers: { "x-its": "own" }, body: "é\n" });
  const answer = await pipe(bodyOf(["é", "", "\n👩‍👩‍👧\n"]));
  expect([answer.status, answer.headers.get("x-its"), await answer.text()]).toEqual([207, "own", "é\n"]);
  expect(ingest.asked).toMatchObject([
    {
      method: "POST",
      path: "/contents?a=b",
      body: Buffer.from("é\n👩‍👩‍👧\n"),
      headers: { "x-request-id": "r-1" },
    },
  ]);
});

test("an empty body is a body", async () => {
  for (const body of [bodyOf([]), null]) expect(await (await pipe(body)).text()).toBe("said\n");
});

test("the deadline counts from the first bytes on: a client may take its time to begin", async () => {
  const begin = Promise.withResolvers<void>();
  async function* late() {
    await begin.promise;
    yield "late\n";
  }
  const answering = pipe(bodyOf(late()), 200);
  ingest.answer = () => "nothing";
  await expect(pipe(bodyOf(["in time\n"]), 200)).rejects.toThrow(new IngestUnreachable("TimeoutError"));
  // Whoever began at once is given up by now.
  ingest.answer = () => ({ status: 200, body: "said\n" });
  begin.resolve();
  expect(await (await answering).text()).toBe("said\n");
});

/** A server that says every byte again as it comes, and the requests that it was sent. */
async function startEcho() {
  const requests: IncomingMessage[] = [];
  const echo = createServer((request, response) => {
    requests.push(request);
    pipeline(request, response.writeHead(200), () => {});
  });
  await once(echo.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  const question = { method: "POST", path: "/", headers: {}, deadlineMs: 200 };
  return {
    requests,
    stop: () => echo.close(),
    ask: (body: ReadableStream) => pipeAt(url)({ ...question, body }),
  };
}

test("it holds for a body that is still coming, for one that is over, and for none", async () => {
  ingest.answer = () => "nothing";
  const given = Promise.withResolvers<void>();
  async function* open() {
    yield "first\n";
    await given.promise;
  }
  for (const body of [bodyOf(open()), bodyOf([]), null]) {
    await expect(pipe(body, 50)).rejects.toThrow(new IngestUnreachable("TimeoutError"));
  }
  given.resolve();
});

test("after the answer has begun there is no deadline, and each side goes on as the other does", async () => {
  const echo = await startEcho();
  const heard = Promise.withResolvers<void>();
  async function* inTwo() {
    yield "first ";
    await heard.promise;
    yield "second";
  }
  const said = (await echo.ask(bodyOf(inTwo()))).body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await said?.read())?.value).toBe("first ");

  ingest.answer = () => "nothing";
  await expect(pipe(bodyOf(["x"]), 200)).rejects.toThrow(IngestUnreachable);
  heard.resolve();
  expect((await said?.read())?.value).toBe("second");
  expect((await said?.read())?.done).toBe(true);
  echo.stop();
});

test("nothing of what has passed is kept", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const echo = await startEcho();
  const held = () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  async function* large() {
    for (let megabytes = 0; megabytes < 100; megabytes++) yield "x".repeat(1_000_000);
    // The body is not over, so whatever were kept for it is here; what is on its way arrives meanwhile.
    await until(() => held() < 30_000_000);
  }
  let passed = 0;
  for await (const bytes of (await echo.ask(bodyOf(large()))).body ?? []) passed += bytes.byteLength;
  expect(passed).toBe(100_000_000);
  echo.stop();
});

test("a client that hangs up, on either side, is gone for ingest too", async () => {
  const echo = await startEcho();
  const gone = Promise.withResolvers<void>();
  async function* untilGone() {
    yield "x";
    await gone.promise;
    throw new Error("the client is gone");
  }
  let over = false;
  async function* endless() {
    for (; !over; await new Promise(setImmediate)) yield "x".repeat(1_000);
  }
  const sender = await echo.ask(bodyOf(untilGone()));
  const reader = await echo.ask(bodyOf(endless()));
  const broken = echo.requests.map((request) => new Promise((resolve) => request.once("close", resolve)));
  gone.resolve();
  await reader.body?.cancel();
  await Promise.all(broken);
  expect(echo.requests.map(({ complete }) => complete)).toEqual([false, false]);
  over = true;
  await expect(sender.text()).rejects.toThrow();
  echo.stop();
});

test.each([502, 504])("%i is what a proxy says for an ingest that is not there", async (status) => {
  ingest.answer = () => ({ status, body: "<html>" });
  await expect(pipe(bodyOf(["x\n"]))).rejects.toThrow(new IngestUnreachable(`status ${status}`));
});

test("nobody there, a lost reply, and a client that breaks off are all unreachable", async () => {
  ingest.answer = () => "hangs up";
  await expect(pipe(bodyOf(["x\n"]))).rejects.toThrow(IngestUnreachable);
  await ingest.stop();
  await expect(pipe(bodyOf(["x\n"]))).rejects.toThrow(IngestUnreachable);
  await ingest.start();
  async function* broken() {
    yield "x\n";
    throw new Error("the client is gone");
  }
  await expect(pipe(bodyOf(broken()))).rejects.toThrow(IngestUnreachable);
});
