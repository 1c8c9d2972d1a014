import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PartyClient } from "../support/party-client.ts";
import { createPartyWorld, type PartyWorld } from "../support/party-world.ts";
import { tokenFor } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { SECRET } from "../support/world.ts";

let its: PartyWorld;
let party: string;
beforeAll(async () => {
  its = await createPartyWorld({ PARTY_ORIGINS: "https://tv.example", LOG_LEVEL: "info" });
  party = await its.open();
});
afterAll(async () => await its?.stop());

async function member(user: string): Promise<PartyClient> {
  const client = await its.client(user);
  expect(await client.join(party)).toEqual({ ok: true });
  return client;
}

test("whatever a client says wrongly is refused with a code, and the connection lives on", async () => {
  const ann = await member("ann");
  const refusals: [string, unknown, string, string[]?][] = [
    ["shout", {}, "unknown_event"],
    ["constructor", {}, "unknown_event"],
    ["__proto__", {}, "unknown_event"],
    ["x".repeat(1_000), {}, "unknown_event"],
    ["chat", { id: "1", text: "x".repeat(2_001) }, "invalid_input", ["text"]],
    ["chat", { id: "1", text: "x".repeat(40_000) }, "invalid_input", ["text"]],
    ["chat", { id: "1", text: "   " }, "invalid_input", ["text"]],
    ["chat", { id: "1", text: "a\0b" }, "invalid_input", ["text"]],
    ["chat", { id: "a b", text: 1 }, "invalid_input", ["id", "text"]],
    ["chat", "hello", "invalid_input", [""]],
    ["chat", null, "invalid_input", ["id", "text"]],
    ["chat", [1, 2], "invalid_input", [""]],
    ["like", { count: 1e9 }, "invalid_input", ["count"]],
    ["like", { count: 1, more: 1 }, "invalid_input", ["more"]],
    ["seek", { revision: 0, position: -1 }, "invalid_input", ["position"]],
    ["seek", { revision: 0, position: "1" }, "invalid_input", ["position"]],
    ["play", {}, "invalid_input", ["revision"]],
    ["play", { revision: 0 }, "forbidden"],
    ["end", {}, "forbidden"],
    ["kick", { user_id: "host" }, "forbidden"],
    ["join", { party_id: "nowhere" }, "not_found"],
    ["join", { party_id: "no where" }, "invalid_input", ["party_id"]],
    ["ping", { sent_at: "now" }, "invalid_input", ["sent_at"]],
    ["chat", { id: "1", text: Buffer.from("binary") }, "invalid_input", ["text"]],
  ];
  for (const [event, input, code, faults] of refusals) {
    expect([event, await ann.ask(event, input)]).toMatchObject([event, { refused: code }]);
    const told = ann.of("refused").at(-1);
    expect(told).toMatchObject({ event: event.slice(0, 64), code });
    if (faults) expect(told?.errors?.map(({ path }) => path)).toEqual(faults);
  }
  // Without an acknowledgement, and with an input that is left out.
  ann.socket.emit("chat");
  await until(() => ann.of("refused").length === refusals.length + 1);
  expect(await ann.ask("chat", { id: "fine", text: "y".repeat(2_000) })).toEqual({ ok: true });
  expect(ann.socket.connected).toBe(true);
});

test("what is not a member's to say", async () => {
  const eve = await its.client("eve");
  for (const [event, input] of [
    ["chat", { id: "1", text: "x" }],
    ["leave", {}],
    ["like", {}],
    ["ready", { revision: 0 }],
  ] as const) {
    expect([event, await eve.ask(event, input)]).toEqual([event, { refused: "not_joined" }]);
  }
  const closed = await its.open({ visibility: "invite" });
  expect(await eve.join(closed)).toEqual({ refused: "not_found" });
  expect(await eve.join(closed, "a guess")).toEqual({ refused: "not_found" });
  const later = await its.world.ask("/parties", {
    ...{
      as: "host",
      at: its.world.ingestUrl,
      method: "POST",
      headers: { "content-type": "application/json" },
    },
    body: JSON.stringify({
      title: "Later",
      content_id: "c",
      visibility: "public",
      start_time: Date.now() + 1e6,
    }),
  });
  const { party_id } = (await later.json()) as { party_id: string };
  expect(await eve.join(party_id)).toEqual({ refused: "not_open" });
});

test("without a valid token nobody comes in", async () => {
  for (const [auth, code] of [
    [{}, "unauthorized"],
    [{ token: "nonsense" }, "unauthorized"],
    [{ token: 5 }, "unauthorized"],
    [{ token: "x".repeat(9_000) }, "unauthorized"],
    [{ token: await tokenFor(SECRET, "ann", { expiresIn: "-1h" }) }, "unauthorized"],
    [{ token: await tokenFor("another secret, long enough", "ann") }, "unauthorized"],
  ] as const) {
    const socket = io(`${its.urls[0]}/parties`, { transports: ["websocket"], forceNew: true, auth });
    const error = await new Promise<Error & { data?: unknown }>((resolve) =>
      socket.once("connect_error", resolve),
    );
    expect([error.message, error.data]).toEqual([code, { code }]);
    socket.disconnect();
  }
});

test("another namespace is nowhere, and neither is a page of another origin", async () => {
  const connect = (path: string, extraHeaders = {}) => {
    const auth = async (send: (its: object) => void) => send({ token: await tokenFor(SECRET, "ann") });
    const socket = io(its.urls[0] + path, {
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
      extraHeaders,
      auth,
    });
    return new Promise<string>((resolve) => {
      socket.once("connect", () => resolve("connected"));
      socket.once("connect_error", ({ message }) => resolve(message));
    }).finally(() => socket.disconnect());
  };
  expect(await connect("/")).toBe("not_found");
  expect(await connect("/nothing")).toBe("Invalid namespace");
  expect(await connect("/parties", { origin: "https://evil.example" })).toBe("websocket error");
  expect(await connect("/parties", { origin: "https://tv.example" })).toBe("connected");
  expect(await connect("/parties")).toBe("connected");
});

test("a connection ends with its token, and its client comes again with another", async () => {
  const ann = await its.client("short", 0, { token: { expiresIn: "2s" } });
  await ann.join(party);
  const first = ann.socket.io.engine.id;
  await until(() => ann.socket.connected && ann.socket.io.engine.id !== first, {
    what: "another connection",
  });
  expect(await ann.ask("chat", { id: "again", text: "still here" })).toEqual({ ok: true });
});

test("who says too much is told so, and who goes on is cut", async () => {
  const flood = await member("flood");
  let cut = "";
  flood.socket.once("disconnect", (reason) => {
    cut = reason;
  });
  for (let n = 0; n < 400; n++) flood.socket.emit("chat", { id: String(n), text: "!" });
  await until(() => flood.of("refused").some(({ code }) => code === "too_fast"));
  await until(() => cut === "io server disconnect", { what: "the flood to be cut" });
  const ann = await member("after-the-flood");
  expect(await ann.ask("chat", { id: "1", text: "hello" })).toEqual({ ok: true });
});

test("what is larger than any message cuts its line", async () => {
  const ann = await member("large");
  let reason = "";
  ann.socket.once("disconnect", (why) => {
    reason = why;
  });
  ann.socket.emit("chat", { id: "1", text: "x".repeat(100_000) });
  await until(() => reason === "transport close" || reason === "transport error");
});

test("a user has so many connections at one ingest, and no more", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => its.client("many")));
  const one = await its.client("many", 0, { eager: true });
  await until(() => one.errors.includes("rate_limited"));
  for (const client of all) client.close();
});

test("nothing that was said, and no token, is in the log", () => {
  const log = its.world.logged.join("");
  expect(log).toContain("room opened");
  expect(log).not.toMatch(/hello|still here|eyJ|a guess/);
});
