import { expect, test } from "vitest";
import { ContentId, PlainId } from "../../db/contract/ids.ts";
import { readCatalogue } from "./catalogue.ts";

test("the fixtures become contents with valid ids that nobody shares", async () => {
  const catalogue = await readCatalogue();

  expect(catalogue.length).toBeGreaterThan(3_000);
  expect(new Set(catalogue.map(({ content_id }) => content_id)).size).toBe(catalogue.length);
  for (const { content_id, catalog_id } of catalogue) {
    ContentId.parse(content_id);
    PlainId.parse(catalog_id);
  }
  expect(catalogue).toContainEqual({
    content_id: "football:es.1:2024-25:deportivo-alaves-real-betis-balompie:2024-08-25",
    catalog_id: "football:es.1",
    title: "Deportivo Alavés - Real Betis Balompié",
    duration: 7_200,
  });
});

test("highlights are as short as a clip can be", async () => {
  const durations = (await readCatalogue()).map(({ duration }) => duration);
  expect(Math.min(...durations)).toBe(40);
});
