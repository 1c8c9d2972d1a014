import type { Redis } from "ioredis";
import type { Content } from "../../db/contract/contents.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { historyKeys } from "../../db/redis/keys.ts";
import type { HistoryRow } from "../../db/rows.ts";
import { runScript } from "../../ingest/redis.ts";
import type { HistoryIndex } from "../../ingest/views/history-index.ts";
import { project } from "../../ingest/views/project.ts";

export type Warming = {
  historyLimit?: number;
  /** Older items are in Postgres alone. */
  floor?: number;
  catalogue?: readonly Content[];
};

/** Puts rows where a refill would, so that the user is warm. */
export async function warmUser(
  { redis, index }: { redis: Redis; index: HistoryIndex },
  user: UserId,
  rows: readonly HistoryRow[],
  { historyLimit = 2_000, floor = 0, catalogue = [] }: Warming = {},
): Promise<void> {
  const keys = historyKeys(user);
  const { model, scripts } = await index.current();
  const begun = [crypto.randomUUID(), historyLimit];
  const [token] = (await runScript(redis, scripts.beginRefill, keys, begun)) as [string];
  const contents = async () => new Map(catalogue.map((content) => [content.content_id, content]));
  await project({ redis, historyLimit, index, contents }, { rows, cleared: new Map() });
  await runScript(redis, scripts.finishRefill, keys, [token, floor, model.prefix(user)]);
}
