export const ROLES = ["user", "support", "service", "admin"] as const;
export type Role = (typeof ROLES)[number];

/**
 * Who may do what: every route that there is, and nothing else says so. Both sides go by it.
 *
 * `own` are the roles that may with their own data, `others` those that may with anybody's; what belongs to nobody in
 * particular has `all` instead. A viewer may when any of its roles may. A token without roles, or with none that is
 * known here, has the role of a user.
 */
const everybody = ROLES;
const reads = { own: everybody, others: ["support", "service", "admin"] } as const;
const writes = { own: everybody, others: ["service", "admin"] } as const;
const anyone = { all: everybody } as const;
const keepers = { all: ["service", "admin"] } as const;
/** For the world, or for whoever looks after it: no token is asked for. */
const open = "no token" as const;

/** Such ids are nobody's business: somebody else's session or party is answered as one that is not there, with 404. */
const hidden = { instead: "not_found" } as const;
/** The path names a session or a user, and both only in passing: who may not write for others writes for itself. */
const asOneself = { instead: "own" } as const;

export const ACCESS = {
  "GET /users/:user_id/watchhistory": reads,
  "GET /users/:user_id/watchhistory/facets": reads,
  "GET /users/:user_id/watchhistory/settings": reads,
  "GET /users/:user_id/watchhistory/:content_id": reads,
  "GET /users/:user_id/continue-watching": reads,
  "GET /users/:user_id/next-up": reads,
  "GET /users/:user_id/changes": reads,
  "GET /profiles/:user_id/history": reads,

  "POST /users/:session_id/playlists/watchhistory": { ...writes, ...asOneself },
  "POST /profiles/:user_id/history": writes,
  "DELETE /users/:user_id/watchhistory": writes,
  "DELETE /users/:user_id/watchhistory/:content_id": writes,
  "PUT /users/:user_id/watchhistory/settings": writes,
  "POST /users/:user_id/watchhistory/watched": writes,
  "PUT /users/:user_id/watchhistory/:content_id/watched": writes,
  "DELETE /users/:user_id/watchhistory/:content_id/watched": writes,
  "POST /users/:user_id/continue-watching/:content_id/dismissed": writes,
  "DELETE /users/:user_id/continue-watching/:content_id/dismissed": writes,

  "POST /api/v1/sessions": writes,
  "GET /api/v1/sessions/:session_id": { ...reads, ...hidden },
  "PATCH /api/v1/sessions/:session_id/position": { ...writes, ...hidden },
  "DELETE /api/v1/sessions/:session_id": { ...writes, ...hidden },

  "GET /profiles/:user_id": reads,
  "PUT /profiles/:user_id": writes,
  "GET /profiles/:user_id/watchlist": reads,
  "POST /profiles/:user_id/watchlist": writes,
  "DELETE /profiles/:user_id/watchlist/:content_id": writes,
  "GET /profiles/:user_id/ratings": reads,
  "POST /profiles/:user_id/ratings": writes,
  "DELETE /profiles/:user_id/ratings/:content_id": writes,
  // Everything there is of a person at once, and its end: support reads what it is asked about, no more.
  "GET /profiles/:user_id/export": writes,
  "DELETE /profiles/:user_id": writes,

  "GET /contents/:content_id": keepers,
  "PUT /contents/:content_id": keepers,
  "DELETE /contents/:content_id": keepers,
  "POST /contents": keepers,
  "GET /contents/:content_id/analytics": keepers,
  "GET /contents/:content_id/ratings": anyone,

  // The owners of a party are its host and co-hosts. Guests the party itself lets in (`party-rights.ts`): everybody may
  // read a public one, and whoever has the invite code, or was there.
  "POST /parties": anyone,
  "GET /parties": anyone,
  "GET /parties/:party_id": { ...reads, ...hidden },
  "PATCH /parties/:party_id": writes,
  "DELETE /parties/:party_id": writes,
  "GET /parties/:party_id/messages": { ...reads, ...hidden },
  "GET /parties/:party_id/logs": { ...reads, ...hidden },

  "GET /health": open,
  "GET /ready": open,
  "GET /openapi.json": open,
  "GET /events.json": open,
  "GET /metrics": open,
} as const satisfies Record<string, Right>;

/** Who lets a user in again that was erased, by putting a profile. */
export const READMITS: readonly Role[] = ["service", "admin"];

/** Method and path, as both sides register it. */
export type Route = keyof typeof ACCESS;

export type Right =
  | typeof open
  | { all: readonly Role[] }
  | {
      own: readonly Role[];
      others: readonly Role[];
      /** What becomes of somebody else's data where that is not 403. */
      instead?: "not_found" | "own";
    };
