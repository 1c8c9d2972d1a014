import { setTimeout as delay } from "node:timers/promises";
import { mustBeAllowed } from "../../db/contract/access.ts";
import { readBody } from "../../db/contract/body.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import { mustBeJson, parseJson, readStamp } from "../../db/contract/requests.ts";
import {
  newSession,
  SessionInput,
  type StartedSession,
  sessionPath,
  sessionView,
} from "../../db/contract/sessions.ts";
import { historyItem } from "../../db/contract/views.ts";
import type { IngestHandler, MaybeHistoryDeps } from "../deps.ts";
import type { SessionStart } from "../observe/session-metrics.ts";

/** Playback never waits longer for the history. */
const RESUME_TIMEOUT_MS = 1_000;

/** Begins a playback session, where its user left off as far as that can be told in time. */
export function postSession(deps: MaybeHistoryDeps): IngestHandler {
  const { sessions, metrics, clock, newId } = deps;
  return async function postSession(c) {
    mustBeJson(c.req.header("content-type"));
    const { received_at } = readStamp((name) => c.req.header(name), { now: clock(), newId });
    const input = checked(SessionInput, parseJson(await readBody(c.req.raw)));
    mustBeAllowed(c.var.viewer, "POST /api/v1/sessions", input.user_id);

    const start = await startOf(deps, input);
    const resumeAt = start.outcome === "resumed" ? start.at : null;
    const session = newSession(input, { id: newId(), at: received_at, resumeAt });
    if (!(await sessions.create(session))) throw new Refusal("erased", "this user was erased");
    metrics.sessionStarted(start);

    const started: StartedSession = { ...sessionView(session), resume_position_seconds: resumeAt };
    return c.json(started, 201, { location: sessionPath(session.id), "cache-control": "private, no-store" });
  };
}

/** Where to start, by the history; `unknown` when it is off, away or too slow. */
async function startOf(deps: MaybeHistoryDeps, { user_id, content_id }: SessionInput): Promise<SessionStart> {
  if (deps.history === null) return { outcome: "unknown" };
  const timer = new AbortController();
  try {
    const item = await Promise.race([deps.history.item(user_id, content_id), tooLate(timer.signal)]);
    const at = item && historyItem(item).resume_position_seconds;
    return at === null ? { outcome: "from the start" } : { outcome: "resumed", at };
  } catch (error) {
    deps.log.warn({ error }, "session: the history cannot be read, it begins without a resume position");
    return { outcome: "unknown" };
  } finally {
    timer.abort();
  }
}

async function tooLate(signal: AbortSignal): Promise<never> {
  await delay(RESUME_TIMEOUT_MS, undefined, { signal });
  throw new Error(`no answer within ${RESUME_TIMEOUT_MS} ms`);
}
