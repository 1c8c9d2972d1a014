import type { ListedContent } from "../../db/contract/contents.ts";
import { type PersistDeps, persist } from "./persist.ts";

/** As many as one array may hold. */
const AT_ONCE = 1_000;

/** Tells the catalogue of contents. @throws when it takes one of them not. */
export async function publish(
  { edge, token }: { edge: string; token: string },
  contents: readonly ListedContent[],
  deps: PersistDeps,
): Promise<void> {
  for (let from = 0; from < contents.length; from += AT_ONCE) {
    const body = contents.slice(from, from + AT_ONCE);
    const { answer } = await persist(
      () => ({ url: `${edge}/contents`, token, method: "POST", body }),
      [200],
      deps,
    );
    if (answer.body.includes('"rejected"')) throw new Error(`the catalogue rejects contents: ${answer.body}`);
  }
}
