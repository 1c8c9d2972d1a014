import { UserId } from "../../db/contract/ids.ts";
import type { Places } from "./bring-up.ts";
import type { Env } from "./paths.ts";
import { signToken } from "./sign-token.ts";

/** Where everything is, and three lines to paste into a shell: write a heartbeat, read the history, read the item. */
export async function welcome(places: Places, env: Env): Promise<string> {
  const { edgeUrl, ingestUrl, door, databaseUrl, redisUrl, secret } = places;
  const user = UserId.parse("alice");
  // Where an issuer signs, the token is the reader's to get.
  const token = secret === undefined ? "$TOKEN" : await signToken({ secret, user, env });
  const curl = `curl -sS -w "\\n" -H "Authorization: Bearer ${token}"`;
  const heartbeat = JSON.stringify({ content_id: "big-buck-bunny", playback_time: 120, duration: 596 });
  const history = `${edgeUrl}/users/${user}/watchhistory`;
  return `
  edge        ${edgeUrl}
  ingest      ${ingestUrl}
  Redis door  ${door.url}
  PostgreSQL  ${withoutPassword(databaseUrl)}
  Redis       ${withoutPassword(redisUrl)}

Write a heartbeat for ${user}, read the history back, read the one item:

${curl} -H "Content-Type: application/json" -d '${heartbeat}' ${edgeUrl}/users/${user}/playlists/watchhistory
${curl} ${history}
${curl} ${history}/big-buck-bunny

Ctrl-C stops everything.`;
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return "as given";
  const shown = new URL(url);
  shown.password = "";
  return shown.href;
}
