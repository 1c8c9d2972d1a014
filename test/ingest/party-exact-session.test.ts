import { expect, test } from "vitest";
import { compareOffsets, exactSession, type Passed } from "../../ingest/party/exact-session.ts";

const said = (offset: string, room = "party 1", type = "3"): Passed => ({
  ...{ offset, nsp: "/parties", type },
  data: JSON.stringify({
    packet: { type: 2, data: ["chat", { id: offset }] },
    opts: { rooms: [room], except: [] },
  }),
});
const session = (...offsets: string[]) => ({
  rooms: ["party 1", "the socket itself"],
  missedPackets: offsets.map((offset) => ["chat", { id: offset }, offset]),
});
const missedBy = (its: ReturnType<typeof session>, passed: Passed[], last: string, after = "1-0") =>
  exactSession(its, { passed, after, last }).missedPackets.map((packet) => packet.at(-1));

test("what passed while a connection was recovered is added", () => {
  expect(missedBy(session("2-0"), [said("2-0"), said("3-0"), said("3-1")], "3-1")).toEqual([
    "2-0",
    "3-0",
    "3-1",
  ]);
});

test("what will pass is left out, for it will come", () => {
  expect(missedBy(session("2-0", "9-0", "10-0"), [], "9-0")).toEqual(["2-0", "9-0"]);
});

test("nothing of another room, of another kind or from before is added", () => {
  const passed = [
    said("2-0", "party 2"),
    said("3-0", "party 1", "4"),
    said("1-0"),
    said("0-9"),
    said("4-0", "the socket itself"),
  ];
  expect(missedBy(session(), passed, "4-0")).toEqual(["4-0"]);
});

test("offsets are compared as numbers", () => {
  expect(compareOffsets("10-0", "9-9")).toBeGreaterThan(0);
  expect(compareOffsets("9-10", "9-9")).toBeGreaterThan(0);
  expect(compareOffsets("9-9", "9-9")).toBe(0);
});
