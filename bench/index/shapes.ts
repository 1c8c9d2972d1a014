import type { Content } from "../../db/contract/contents.ts";
import type { HistoryFilter } from "../../db/contract/dimensions.ts";
import type { UserId } from "../../db/contract/ids.ts";
import { oneOf } from "../random.ts";
import type { Crowd } from "./viewers.ts";

const NOTHING: HistoryFilter = {
  ...{ asset_id: [], sport: null, series: null, team: [], team_match: "any", show: null, season: null },
};

/** Every shape of query, as the filter that finds this item; null is the plain page of the whole history. */
const SHAPES = {
  asset: ({ content_id }) => ({ ...NOTHING, asset_id: [content_id] }),
  sport: ({ sport }) => ({ ...NOTHING, sport }),
  "sport + series": ({ sport, series }) => ({ ...NOTHING, sport, series }),
  "sport + series + 1 team": ({ sport, series, teams }) => ({
    ...{ ...NOTHING, sport, series, team: teams.slice(0, 1) },
  }),
  "sport + series + 2 teams": ({ sport, series, teams }) => ({ ...NOTHING, sport, series, team: teams }),
  show: ({ show }) => ({ ...NOTHING, show }),
  "show + season": ({ show, season }) => ({ ...NOTHING, show, season }),
  "unfiltered page": () => null,
} satisfies Record<string, (item: Content) => HistoryFilter | null>;

export type Shape = keyof typeof SHAPES;
export const SHAPE_NAMES = Object.keys(SHAPES) as Shape[];

/** One question: what it asks for is in that user's history. */
export type Ask = { user: UserId; filter: HistoryFilter | null };

/** What viewers have much of is asked for more often, for it is any of their items that they ask for. */
export function askOf(shape: Shape, { viewers }: Crowd, random: () => number): Ask {
  const { user, watched } = oneOf(viewers, random);
  const kind = shape.startsWith("sport") ? "match" : shape.startsWith("show") ? "episode" : null;
  const fitting = kind === null ? watched : watched.filter((content) => content.kind === kind);
  return { user, filter: SHAPES[shape](oneOf(fitting, random)) };
}
