import type { UserId } from "../contract/ids.ts";

/**
 * Every key, stream and group name. Braces are Redis Cluster's hash tag: all keys of one user live in one
 * slot, so that one script may touch them. The stream's plain name hashes to the same slot as the keys that
 * carry it as their tag.
 */
export const eventStream = "stream:watch-history";
/** How many events (not entries) wait in the stream. */
export const backlogKey = "{stream:watch-history}:backlog";
/** Quarantine: poison, with its reason. */
export const deadStream = "{stream:watch-history}:dead";
export const ingestGroup = "ingest";

/** What the views of one user are made of, in the order in which the scripts take them. */
export function historyKeys(user: UserId): [state: string, order: string, progress: string, changes: string] {
  return [`wh:state:{${user}}`, `wh:order:{${user}}`, `wh:progress:{${user}}`, `wh:changes:{${user}}`];
}

/** The key of a history record is this followed by the content_id. */
export function recordPrefix(user: UserId): string {
  return `wh:record:{${user}}:`;
}
