import type { Redis } from "ioredis";
import type { UserId } from "../../db/contract/ids.ts";
import type { NextUpKind } from "../../db/contract/next-up.ts";
import { catalogueGeneration, historyKeys, nextUpKey } from "../../db/redis/keys.ts";
import { keepNextUp, readNextUp } from "../../db/redis/next-up-scripts.ts";
import type { Log } from "../observe/log.ts";
import { runScript } from "../redis.ts";

/** How old what is kept may be, should a change ever go unnoticed. */
const KEPT_MS = 300_000;

/** By what a list was worked out: a version of the view, and a generation of the catalogue. */
type Basis = { version: string; generation: string };

/** A list, by what it was worked out, and when the first release makes another one of it; null for never. */
type Kept<Item> = Basis & { until: number | null; items: Item[] };

/**
 * What comes next, as it was worked out last: believed only for the very version of the view and generation of the
 * catalogue that were there before Postgres was read. Whatever is committed is counted after that, in the view by the
 * turn that commits it and in the catalogue by whoever stores it: a list that misses it is kept by an older count. A
 * view that was evicted has another epoch when it is back, so it is never the same version again.
 *
 * Redis being away is no reason not to answer: nothing is kept then.
 */
export function nextUpCache({ redis, clock, log }: NextUpCacheDeps) {
  /** What is kept, if it still holds, and by what another list may be kept; null when none may. */
  async function look<Item>(user: UserId, kind: NextUpKind): Promise<Looked<Item>> {
    try {
      const [stateKey] = historyKeys(user);
      const [reply, generation] = await Promise.all([
        runScript(redis, readNextUp, [stateKey, nextUpKey(user, kind)], []),
        redis.get(catalogueGeneration),
      ]);
      const [version, text] = reply as [version?: string, text?: string];
      if (version === undefined) return { items: null, basis: null };
      const basis = { version, generation: generation ?? "0" };
      return { items: text ? itemsOf(JSON.parse(text) as Kept<Item>, basis) : null, basis };
    } catch (error) {
      log.warn({ error }, "next up: Redis cannot answer, Postgres does");
      return { items: null, basis: null };
    }
  }

  function itemsOf<Item>({ version, generation, until, items }: Kept<Item>, basis: Basis): Item[] | null {
    if (version !== basis.version || generation !== basis.generation) return null;
    return until !== null && until <= clock() ? null : items;
  }

  async function keep<Item>(user: UserId, kind: NextUpKind, kept: Kept<Item>): Promise<void> {
    const { until } = kept;
    const lifetime = until === null ? KEPT_MS : Math.min(KEPT_MS, until - clock());
    if (lifetime <= 0) return;
    try {
      const keys = [historyKeys(user)[0], nextUpKey(user, kind)];
      const args = [kept.version, JSON.stringify(kept), Math.ceil(lifetime)];
      await runScript(redis, keepNextUp, keys, args);
    } catch (error) {
      log.warn({ error }, "next up: Redis is away, nothing is kept");
    }
  }

  return { look, keep };
}

type Looked<Item> = { items: Item[] | null; basis: Basis | null };
export type NextUpCacheDeps = { redis: Redis; clock: () => number; log: Log };
