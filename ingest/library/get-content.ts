import { ContentPath, contentView } from "../../db/contract/contents.ts";
import { checked, Refusal } from "../../db/contract/refusals.ts";
import type { IngestDeps, IngestHandler } from "../deps.ts";

/** A content as the catalogue has it, and whether everybody who watched it has its last change. */
export function getContent({ contents }: IngestDeps): IngestHandler {
  return async function getContent(c) {
    const { content_id } = checked(ContentPath, c.req.param());

    const loaded = await contents.load(content_id);
    if (!loaded) throw new Refusal("not_found", `${content_id} is not in the catalogue`);
    const { content, viewers } = loaded;
    const view = { ...contentView(content), changes: { carried: viewers === null, viewers } };
    return c.json(view, 200, { "cache-control": "private, no-store", vary: "Authorization, Origin" });
  };
}
