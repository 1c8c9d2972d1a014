import { linkTo } from "../../db/contract/pages.ts";
import type { Party } from "../../db/contract/parties.ts";
import { cursorOf } from "../../db/contract/party-lists.ts";
import { leadsParty } from "../../db/contract/party-rights.ts";
import { partyView } from "../../db/contract/party-views.ts";
import type { IngestContext } from "../deps.ts";
import type { Parties } from "./parties.ts";

/** Of answers that depend on who asks. */
const PRIVATE = { "cache-control": "private, no-store", vary: "Authorization, Origin" };

/** A party as whoever asks may see it. */
export function answerParty(
  c: IngestContext,
  party: Party,
  { capacity }: Pick<Parties, "capacity">,
  status: 200 | 201 = 200,
): Response {
  return c.json(partyView(party, { capacity, leads: leadsParty(c.var.viewer, party) }), status, PRIVATE);
}

/**
 * One page out of what follows the cursor, one more than the limit where there is one: what to show, and the headers
 * with the `Link` to the following page.
 */
export function onePage<Item>(
  c: IngestContext,
  found: readonly Item[],
  limit: number,
  placeOf: (item: Item) => readonly (number | string)[],
): { shown: readonly Item[]; headers: Record<string, string> } {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  if (last === undefined || found.length <= limit) return { shown, headers: PRIVATE };
  const link = linkTo(c.req.path, { limit, query: c.req.queries(), cursor: cursorOf(placeOf(last)) });
  return { shown, headers: { ...PRIVATE, ...link } };
}
