import { alternativesOf, type HistoryFilter } from "../../contract/dimensions.ts";
import type { UserId } from "../../contract/ids.ts";
import type { FacetsRequest, PageRequest } from "../../contract/pages.ts";
import type { IndexModel } from "./model.ts";

/** The arguments of the script `search`. `known`: the version that the client has, or "". */
export function searchArguments(
  model: IndexModel,
  user: UserId,
  { limit, after, filter }: PageRequest,
  known = "",
): string[] {
  const own = [String(limit), String(after?.position_at ?? ""), after?.content_id ?? ""];
  const alternatives = filter ? alternativesOf(filter) : [];
  const narrows = alternatives.length > 0 ? "1" : "0";
  const matching = model.filterArguments(user, alternatives);
  return [...narrowing(model, user, { filter, known }), ...own, narrows, ...matching];
}

/** The arguments of the script `facets`: what has a value is in the index. */
export function facetsArguments(
  model: IndexModel,
  user: UserId,
  { by, filter }: FacetsRequest,
  known = "",
): string[] {
  const matching = model.filterArguments(user, filter ? alternativesOf(filter) : []);
  return [...narrowing(model, user, { filter, known }), by, "", "", "1", ...matching];
}

function narrowing(
  model: IndexModel,
  user: UserId,
  { filter, known }: { filter: HistoryFilter | null; known: string },
): string[] {
  const assets = filter?.asset_id ?? [];
  return [known, model.prefix(user), String(assets.length), ...assets];
}
