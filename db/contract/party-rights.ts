import type { Viewer } from "./access.ts";
import { ACCESS, type Role } from "./access-matrix.ts";
import type { Party } from "./parties.ts";
import { Refusal } from "./refusals.ts";

/** What the matrix leaves to the party itself: to whom it belongs, and who is a guest. */

/** Is it the viewer's own party, or one that the viewer helps to host? */
export function leadsParty(viewer: Viewer, { host_id, co_host_ids }: Party): boolean {
  return viewer.user_id === host_id || co_host_ids.includes(viewer.user_id);
}

/** May the viewer see it, as far as the party itself says? Whoever was in it may as well. */
export function maySeeParty(viewer: Viewer, party: Party, invite: string | null): boolean {
  if (party.visibility === "public" || invite === party.invite_code) return true;
  return leadsParty(viewer, party) || mayWithAny(viewer, "GET /parties/:party_id");
}

/** May the viewer watch with the others? Whoever only looks after parties may not, without an invitation. */
export function mayJoinParty(viewer: Viewer, party: Party, invite: string | null): boolean {
  return party.visibility === "public" || invite === party.invite_code || leadsParty(viewer, party);
}

/** @throws Refusal `forbidden` unless the host, a co-host, a service or an admin asks. */
export function mustLeadParty(viewer: Viewer, party: Party): void {
  if (leadsParty(viewer, party) || mayWithAny(viewer, "PATCH /parties/:party_id")) return;
  throw new Refusal("forbidden", "this is for the hosts of the party");
}

/** @throws Refusal `forbidden` unless the host itself, a service or an admin asks. */
export function mustHostParty(viewer: Viewer, party: Party): void {
  if (viewer.user_id === party.host_id || mayWithAny(viewer, "PATCH /parties/:party_id")) return;
  throw new Refusal("forbidden", "this is for the host of the party");
}

/** @throws Refusal `forbidden` unless the host, a co-host, support, a service or an admin asks. */
export function mustSeePartyLogs(viewer: Viewer, party: Party): void {
  if (leadsParty(viewer, party) || mayWithAny(viewer, "GET /parties/:party_id/logs")) return;
  throw new Refusal("forbidden", "this is for the hosts of the party");
}

/** What is answered of a party that there is not, and of one that the viewer may not know of. */
export function noSuchParty(): Refusal {
  return new Refusal("not_found", "there is no such party");
}

/** Does a role of the viewer go for everybody's parties? */
function mayWithAny(viewer: Viewer, route: PartyRoute): boolean {
  const others: readonly Role[] = ACCESS[route].others;
  return viewer.roles.some((role) => others.includes(role));
}

type PartyRoute = "GET /parties/:party_id" | "PATCH /parties/:party_id" | "GET /parties/:party_id/logs";
