import { answers, problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const userId = {
  ...{ name: "user_id", in: "path", required: true },
  description: "Whose it is: the token's own `sub`, unless it is a service's or an admin's",
  schema: parameterSchemas.user_id,
};
const refusals = problems("unauthorized", "forbidden", "invalid_input", "history_off", "unavailable");

const receipt = {
  erased_at: "2026-01-31T20:15:00.000Z",
  stores: [
    { store: "sessions", erased: 1 },
    { store: "history", erased: 212 },
  ],
  to_follow: ["Whatever was accepted before and waits to be stored is dropped unseen."],
  not_recalled: [
    { what: "Backups", why: "Those of Postgres and Redis hold what they held until they expire." },
  ],
};
const exported = {
  ...{ user_id: "alice", exported_at: "2026-01-31T20:15:00.000Z", up_to_date: true, profile: null },
  ...{ history_settings: { cleared_at: null, pauses: [] } },
  watchlist: [{ content_id: "movie-42", added_at: "2026-01-30T18:00:00.000Z" }],
  ...{ ratings: [], history: [], plays: [], sessions: [], parties: [], party_messages: [], party_likes: [] },
  ...{ party_logs: [], quarantine: [] },
};

/** What `DELETE /profiles/{user_id}` does. */
export const eraseUser = {
  operationId: "eraseUser",
  summary: "Erase everything of a user",
  description:
    "Remembered under a keyed hash first; from then on whatever the user did before is dropped, wherever it comes from, " +
    "until a service puts a new profile. With 503 it may have begun: then it is finished without being asked, and to ask " +
    "again is harmless.",
  tags: ["Profiles"],
  parameters: [userId],
  responses: { 200: answers("What went, and what cannot be recalled", ref("Receipt"), receipt), ...refusals },
};

export const privacyPaths = {
  "/profiles/{user_id}/export": {
    get: {
      operationId: "exportUser",
      summary: "Everything that is kept of a user",
      description:
        "One JSON document of any length, sent while it is read: one that breaks off is no JSON. Of who was erased there is " +
        "nothing in it.",
      tags: ["Profiles"],
      parameters: [userId],
      responses: {
        200: answers("The document", ref("Export"), exported, {
          "Content-Disposition": { description: "An attachment", schema: { type: "string" } },
        }),
        ...refusals,
      },
    },
  },
};
