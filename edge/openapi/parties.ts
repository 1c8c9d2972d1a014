import { answers, problems, ref } from "./answers.ts";
import { parameterSchemas } from "./schemas.ts";

const partyId = {
  ...{ name: "party_id", in: "path", required: true, description: "Which party" },
  schema: parameterSchemas.party_id,
};
const query = (name: string, schema: keyof typeof parameterSchemas, description: string) => ({
  ...{ name, in: "query", required: false, description },
  schema: parameterSchemas[schema],
});
const invite = query("invite", "invite", "The invite code; it opens a party that is not public");
const cursor = query("cursor", "cursor", "Where the page before ended; taken from its `Link`");
const link = {
  Link: {
    description: '`rel="next"`: the page that follows, where there is one',
    schema: { type: "string" },
  },
};

const input = {
  ...{ title: "The Final", content_id: "match-42", visibility: "invite" },
  ...{ start_time: "2026-01-31T20:00:00Z", end_time: "2026-01-31T22:30:00Z" },
};
const party = {
  ...{ party_id: "3f0c7d1e-6f2b-4f43-9d55-1f9d3f0a7a01", title: "The Final", content_id: "match-42" },
  ...{ host_id: "alice", co_host_ids: ["bob"], visibility: "invite", status: "FINISHED" },
  ...{ start_time: "2026-01-31T20:00:00.000Z", end_time: "2026-01-31T22:30:00.000Z" },
  ...{ started_at: "2026-01-31T20:00:00.012Z", ended_at: "2026-01-31T22:04:10.500Z", capacity: 100 },
  ...{ invite_code: "9b1f4a52-0d5e-4b6e-8f0a-0a4f8f1b2c3d", peak_viewers: 12, average_viewers: 9.4 },
};
const { started_at: _, ended_at: __, peak_viewers: ___, average_viewers: ____, ...scheduled } = party;
const created = {
  ...{ ...scheduled, co_host_ids: [], status: "SCHEDULED", started_at: null, ended_at: null },
  ...{ peak_viewers: null, average_viewers: null },
};
const message = {
  ...{ id: "m-1", user_id: "bob", name: "Bob", text: "What a goal!" },
  ...{ at: "2026-01-31T20:31:05.120Z", media_time: 1_830.5 },
};
const log = {
  ...{ id: "7c9e6679-7425-40de-944b-e07fc1f90ae7", event: "seek", user_id: "alice" },
  ...{ at: "2026-01-31T20:40:00.000Z", media_time: 2_400, data: { position: 1_800 } },
};
const logs = {
  ...{ party_id: party.party_id, likes: 41, peak_viewers: 12, average_viewers: 9.4, logs: [log] },
};

const asked = ["unauthorized", "invalid_input", "history_off", "unavailable"] as const;
const written = ["malformed_json", "body_too_large", "unsupported_media_type"] as const;

const operation = (operationId: string, summary: string, description?: string) => ({
  ...{ operationId, summary, tags: ["Watch parties"] },
  ...(description ? { description } : {}),
});
const body = (name: string, example: object) => ({
  required: true,
  content: { "application/json": { schema: ref(name), example } },
});

export const partyPaths = {
  "/parties": {
    post: {
      ...operation(
        "createParty",
        "Invite to watch together",
        "It opens by itself at its start. What is said and done in it goes over Socket.IO, namespace `/parties`.",
      ),
      requestBody: body("PartyInput", input),
      responses: {
        201: answers("It is scheduled", ref("Party"), created, {
          Location: { description: "Where it is found", schema: { type: "string" } },
        }),
        ...problems(...asked, ...written, "erased"),
      },
    },
    get: {
      ...operation(
        "listParties",
        "Public parties, and one's own",
        "One's own are those that one hosts, helps to host, or was in. Scheduled ones begin with what starts first, all else with what started last.",
      ),
      parameters: [
        query("status", "party_status", "Only these"),
        query("limit", "parties_limit", "Parties on a page"),
        cursor,
      ],
      responses: {
        200: answers("One page", { type: "array", items: ref("Party") }, [party], link),
        ...problems(...asked),
      },
    },
  },
  "/parties/{party_id}": {
    get: {
      ...operation(
        "getParty",
        "A party",
        "Of one that is not public those know who lead it, were in it, or have its invite code; to anybody else there is none.",
      ),
      parameters: [partyId, invite],
      responses: {
        200: answers("The party", ref("Party"), party),
        ...problems(...asked, "not_found"),
      },
    },
    patch: {
      ...operation(
        "changeParty",
        "Change a party",
        "For its host and co-hosts; who the co-hosts are is for the host to say. What plays and when it starts cannot change any more once it is on, and nothing can when it is over.",
      ),
      parameters: [partyId],
      requestBody: body("PartyPatch", { end_time: null, co_host_ids: ["bob"] }),
      responses: {
        200: answers("As it is now", ref("Party"), party),
        ...problems(...asked, ...written, "forbidden", "not_found", "wrong_state", "erased"),
      },
    },
    delete: {
      ...operation(
        "cancelParty",
        "Call a party off, or end it",
        "One that has not begun is cancelled, one that is on is finished. To do so again changes nothing. For its host and co-hosts.",
      ),
      parameters: [partyId],
      responses: {
        204: { description: "It is over" },
        ...problems(...asked, "forbidden", "not_found"),
      },
    },
  },
  "/parties/{party_id}/messages": {
    get: {
      ...operation(
        "listPartyMessages",
        "What was said in a party",
        "By where the playback was, so that whoever watches later reads along; while it is on as well.",
      ),
      parameters: [
        partyId,
        query("after", "media_time", "Only what was said later in the content than this, in seconds"),
        query("limit", "messages_limit", "Messages on a page"),
        cursor,
        invite,
      ],
      responses: {
        200: answers("One page", { type: "array", items: ref("PartyMessage") }, [message], link),
        ...problems(...asked, "not_found"),
      },
    },
  },
  "/parties/{party_id}/logs": {
    get: {
      ...operation(
        "getPartyLogs",
        "What happened in a party, and what it came to",
        "For its host and co-hosts, and the roles support, service and admin.",
      ),
      parameters: [partyId, query("limit", "messages_limit", "Log entries on a page"), cursor],
      responses: {
        200: answers("Totals, and one page of the log", ref("PartyLogs"), logs, link),
        ...problems(...asked, "forbidden", "not_found"),
      },
    },
  },
};
