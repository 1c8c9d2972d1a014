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
  const own = [String(limit), String(after?.watched_at ?? ""), after?.content_id ?? ""];
  return narrowing(model, user, { filter, known, own });
}

/** The arguments of the script `facets`. `known`: the version that the client has, or "". */
export function facetsArguments(
  model: IndexModel,
  user: UserId,
  { by, filter }: FacetsRequest,
  known = "",
): string[] {
  return narrowing(model, user, { filter, known, own: [by, "", ""] });
}

/** The arguments of the script `continueWatching`. `known`: the version that the client has, or "". */
export function continueArguments(model: IndexModel, user: UserId, limit: number, known = ""): string[] {
  return narrowing(model, user, { filter: null, known, own: [String(limit), "", ""] });
}

function narrowing(
  model: IndexModel,
  user: UserId,
  { filter, known, own }: { filter: HistoryFilter | null; known: string; own: string[] },
): string[] {
  const assets = filter?.asset_id ?? [];
  const alternatives = filter ? alternativesOf(filter) : [];
  const matching = alternatives.length > 0 ? model.filterArguments(user, alternatives) : [];
  return [known, model.prefix(user), String(assets.length), ...assets, ...own, ...matching];
}
