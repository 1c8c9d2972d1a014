import * as z from "zod";
import { ContentView } from "./contents.ts";
import { limitParameter, parametersOf, type Query } from "./pages.ts";
import { checked } from "./refusals.ts";

/** The longest list of what comes next. */
export const NEXT_UP_MAX = 100;

/** Of what the next one is wanted: of the shows that somebody watches, or of the teams that somebody follows. */
export const NEXT_UP_KINDS = ["episodes", "sport"] as const;
export type NextUpKind = (typeof NEXT_UP_KINDS)[number];

/** Nothing else is taken: a misspelt parameter would be answered with something else than was asked for. */
export const NextUpQuery = z.strictObject({
  limit: limitParameter({ usual: 20, most: NEXT_UP_MAX }),
  kind: z.enum(NEXT_UP_KINDS).default("episodes"),
});
export type NextUpRequest = z.infer<typeof NextUpQuery>;

/** The query string of what comes next. @throws Refusal `invalid_input` */
export function nextUpRequest(query: Query): NextUpRequest {
  return checked(NextUpQuery, parametersOf(query));
}

/** The next episode of a show. */
export const NextUpItem = z.object({
  ...ContentView.shape,
  last_watched_at: z.iso.datetime().describe("When the last finished episode of the show was finished"),
});
export type NextUpItem = z.infer<typeof NextUpItem>;

/** The next fixture of a team. */
export const NextFixture = z.object({
  ...ContentView.shape,
  team: z.string().describe("Which of its teams the viewer follows"),
});
export type NextFixture = z.infer<typeof NextFixture>;
