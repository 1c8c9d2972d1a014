import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../db/local/postgres.ts";
import { MODELS, type ModelName } from "../../db/redis/index/model.ts";
import { type Catalogue, makeCatalogue } from "./catalogue.ts";
import { askPostgres, startPostgresStore } from "./postgres-store.ts";
import { type Footprint, fillRedis } from "./redis-fill.ts";
import { askRedis, type RedisStore, startStore } from "./redis-store.ts";
import { type Side, STORES, type StoreName } from "./side.ts";
import { type Crowds, crowdsOf, recordsIn, type Size } from "./viewers.ts";

/** Users of each size, in each store. */
export type Extent = Record<StoreName, Record<Size, number>>;

/** Every model and Postgres, each with the small store and the large one, all of them running and full. */
export type Arena = {
  catalogue: Catalogue;
  crowds: Record<StoreName, Crowds>;
  sides: Side[];
  /** The models with their large stores. */
  models: RedisStore[];
  footprints: Record<ModelName, Footprint[]>;
  stop: () => Promise<void>;
};

export async function openArena(extent: Extent, say: (line: string) => void): Promise<Arena> {
  const dir = mkdtempSync(join(tmpdir(), "playhead-bench-"));
  const stops: (() => Promise<unknown>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  process.once("SIGINT", () => void stop().finally(() => process.exit(130)));
  try {
    const catalogue = makeCatalogue();
    const crowds = { small: crowdsOf(extent.small, catalogue), large: crowdsOf(extent.large, catalogue) };
    const sides: Side[] = [];
    const models: RedisStore[] = [];
    const footprints = {} as Arena["footprints"];

    for (const model of MODELS) {
      for (const name of STORES) {
        say(`${model}: ${recordsIn(crowds[name]).toLocaleString("en")} records`);
        const store = await startStore(model, join(dir, `${model}-${name}`));
        stops.push(store.stop);
        sides.push({ column: model, store: name, ask: (ask) => askRedis(store, ask) });
        // The large store comes last, and its figures stay.
        footprints[model] = await fillRedis(store, crowds[name], catalogue);
        if (name === "large") models.push(store);
      }
    }
    const server = await startPostgres({ dir: join(dir, "postgres") });
    stops.push(server.stop);
    for (const name of STORES) {
      say(`postgres: ${recordsIn(crowds[name]).toLocaleString("en")} records`);
      const store = await startPostgresStore(server.url, name, { crowds: crowds[name], catalogue });
      stops.push(store.stop);
      sides.push({ column: "postgres", store: name, ask: (ask) => askPostgres(store, ask) });
    }
    return { catalogue, crowds, sides, models, footprints, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
