import { afterEach, expect, test } from "vitest";
import { type FakeEdge, fakeEdge } from "./fake-edge.ts";
import { createFollower } from "./follow.ts";
import { gateOf } from "./persist.ts";
import type { Shown } from "./read.ts";

let edge: FakeEdge;
afterEach(() => edge.close());

test("follows from nothing to the end, with what is told again, what goes, and from anew", async () => {
  const queries: string[] = [];
  const answers = [
    { changes: [item("a", 1), item("b", 2)], cursor: "e.2", has_more: true },
    { changes: [item("a", 3), item("c", 4)], cursor: "e.4", has_more: false },
    { changes: [{ content_id: "b", deleted: true }], cursor: "e.5", has_more: false },
    { changes: [item("d", 1)], cursor: "f.1", has_more: true, reset: true },
    { changes: [], cursor: "f.2", has_more: false },
  ];
  edge = await fakeEdge(({ path, query }) => {
    queries.push(`${path}?${query}`);
    return { status: 200, body: answers.shift() };
  });
  const sender = { edge: edge.url, user_id: "u", token: "t" };
  const follower = createFollower(sender, { gate: gateOf(1), statuses: new Map() });

  expect(await follower.poll(2)).toBe(true);
  expect(idsOf(await follower.toTheEnd())).toEqual(["c", "a", "b"]);
  expect(idsOf(await follower.toTheEnd())).toEqual(["c", "a"]);
  expect(idsOf(await follower.toTheEnd())).toEqual(["d"]);
  expect(queries.map((query) => query.replace("/users/u/changes", ""))).toEqual([
    "?since=&limit=2",
    "?since=e.2&limit=500",
    "?since=e.4&limit=500",
    "?since=e.5&limit=500",
    "?since=f.1&limit=500",
  ]);
  expect(follower.told()).toBe(6);
});

function item(content_id: string, at: number) {
  return { content_id, last_watched_at: new Date(at).toISOString() };
}

function idsOf(items: readonly Shown[]): string[] {
  return items.map(({ content_id }) => content_id);
}
