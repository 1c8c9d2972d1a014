import { tokenVerifier } from "../../db/contract/access.ts";
import { createApp } from "../../edge/app.ts";
import type { EdgeDeps, IngestQuestion } from "../../edge/deps.ts";
import { publicFiles } from "../../edge/files.ts";
import { SECRET } from "./edge-world.ts";

/** An edge whose stores are plain objects: everybody's history is warm and empty, and ingest takes everything. */
export function fakeEdge(replaced: Partial<EdgeDeps> = {}) {
  const asked: IngestQuestion[] = [];
  const logged: string[] = [];
  let ids = 0;
  const knownVersions: string[] = [];
  const deps: EdgeDeps = {
    redis: {
      readHistory: async (_user, _page, known) => {
        knownVersions.push(known);
        return { state: "page", version: "e.1", complete: true, found: [] };
      },
      search: async () => ({ state: "page", version: "e.1", complete: true, found: [] }),
      facets: async () => ({ state: "facets", version: "e.1", complete: true, found: [] }),
      continueWatching: async () => ({ state: "page", version: "e.1", complete: true, found: [] }),
      readChanges: async () => ({
        ...{ state: "changes", cursor: { epoch: "e", seq: 1, after: null } },
        ...{ reset: false, has_more: false, told: [] },
      }),
      readItem: async () => ({ state: "absent", complete: true }),
      readProfile: async () => ({ state: "cold" }),
      readWatchlist: async () => ({ state: "page", version: "1.m.e.1", complete: true, found: [] }),
      readRatings: async () => ({ state: "page", version: "1", complete: true, found: [] }),
      readSession: async () => ({ state: "unknown" }),
      append: async () => true,
      countRequests: async (_, perMinute) => ({ allowed: true, perMinute, remaining: perMinute, resetAt: 0 }),
      ping: async () => {},
    },
    ingest: async (question) => {
      asked.push(question);
      return { status: 202, headers: new Headers(), body: new ArrayBuffer(0) };
    },
    pipe: async () => new Response(null),
    verifyToken: tokenVerifier({ key: { secret: new TextEncoder().encode(SECRET) }, now: Date.now }),
    limit: () => {},
    asset: publicFiles,
    now: Date.now,
    newId: () => `id-${++ids}`,
    log: (...line) => void logged.push(JSON.stringify(line)),
    settings: {
      corsOrigins: ["https://app.example.com"],
      backlogLimit: 10,
      eventMaxAgeMs: 400 * 86_400_000,
      deadlines: { readMs: 100, writeMs: 100, healthMs: 100 },
    },
    ...replaced,
  };
  return { app: createApp(deps), asked, logged, knownVersions };
}
