import { expect, test } from "vitest";
import type { ContentId } from "../../db/contract/ids.ts";
import type { Transaction } from "../../db/postgres/transaction.ts";
import { contentsOnce } from "../../ingest/views/contents-once.ts";

const rows = () => [{ content_id: "c" as ContentId }];

test("the same rows are looked up once, others by themselves, and whoever is in a transaction in that one", async () => {
  const asked: unknown[] = [];
  const contents = contentsOnce(async (of, via) => {
    asked.push(via ?? of);
    return new Map();
  });
  const [some, others, via] = [rows(), rows(), {} as Transaction];
  const answers = await Promise.all([contents(some), contents(some)]);
  expect(await contents(some)).toBe(answers[0]);
  await contents(others);
  await contents(some, via);
  expect(asked).toEqual([some, others, via]);
  expect(asked[0]).toBe(some);
});

test("an answer that did not come is asked for again", async () => {
  let tries = 0;
  const contents = contentsOnce(async () => {
    if (++tries === 1) throw new Error("away");
    return new Map();
  });
  const some = rows();
  await expect(contents(some)).rejects.toThrow("away");
  expect(await contents(some)).toEqual(new Map());
  expect(tries).toBe(2);
});
