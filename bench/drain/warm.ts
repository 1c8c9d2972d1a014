import type { Running } from "../servers/process.ts";
import { tokenFor } from "../servers/token.ts";

const AT_ONCE = 16;

/** Users read their history once, so that their views are warm and every turn from here on projects into them. */
export async function warm(ingest: Running, users: number): Promise<void> {
  const headers = { authorization: `Bearer ${await tokenFor("bench", ["service"])}` };
  let next = 0;
  async function reader(): Promise<void> {
    while (next < users) {
      const answer = await fetch(`${ingest.url}/users/viewer-${next++}/watchhistory?limit=1`, { headers });
      await answer.text();
      if (!answer.ok) throw new Error(`warming a user: ${answer.status}`);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, reader));
}
