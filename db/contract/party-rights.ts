import type { Role, Viewer } from "./access.ts";
import type { Party } from "./parties.ts";
import { Refusal } from "./refusals.ts";

/** Roles that may read any party, and those that may change any. */
const READERS: readonly Role[] = ["support", "service", "admin"];
const WRITERS: readonly Role[] = ["service", "admin"];

/** Is it the viewer's own party, or one that the viewer helps to host? */
export function leadsParty(viewer: Viewer, { host_id, co_host_ids }: Party): boolean {
  return viewer.user_id === host_id || co_host_ids.includes(viewer.user_id);
}

/** May the viewer see it, as far as the party itself says? Whoever was in it may as well. */
export function maySeeParty(viewer: Viewer, party: Party, invite: string | null): boolean {
  if (party.visibility === "public" || invite === party.invite_code) return true;
  return leadsParty(viewer, party) || hasRole(viewer, READERS);
}

/** May the viewer watch with the others? Whoever only looks after parties may not, without an invitation. */
export function mayJoinParty(viewer: Viewer, party: Party, invite: string | null): boolean {
  return party.visibility === "public" || invite === party.invite_code || leadsParty(viewer, party);
}

/** @throws Refusal `forbidden` unless the host, a co-host, a service or an admin asks. */
export function mustLeadParty(viewer: Viewer, party: Party): void {
  if (leadsParty(viewer, party) || hasRole(viewer, WRITERS)) return;
  throw new Refusal("forbidden", "this is for the hosts of the party");
}

/** @throws Refusal `forbidden` unless the host itself, a service or an admin asks. */
export function mustHostParty(viewer: Viewer, party: Party): void {
  if (viewer.user_id === party.host_id || hasRole(viewer, WRITERS)) return;
  throw new Refusal("forbidden", "this is for the host of the party");
}

/** @throws Refusal `forbidden` unless the host, a co-host, support, a service or an admin asks. */
export function mustSeePartyLogs(viewer: Viewer, party: Party): void {
  if (leadsParty(viewer, party) || hasRole(viewer, READERS)) return;
  throw new Refusal("forbidden", "this is for the hosts of the party");
}

/** What is answered of a party that there is not, and of one that the viewer may not know of. */
export function noSuchParty(): Refusal {
  return new Refusal("not_found", "there is no such party");
}

function hasRole(viewer: Viewer, roles: readonly Role[]): boolean {
  return viewer.roles.some((role) => roles.includes(role));
}
