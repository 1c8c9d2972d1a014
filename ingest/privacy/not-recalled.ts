import type { Receipt } from "../../db/contract/privacy.ts";
import type { Config } from "../config.ts";
import type { ActiveIndex } from "../views/history-index.ts";

/** No command of the module takes a term away that no record has any more. */
const TERMS = {
  what: "Terms of the search index",
  why: "The id stays among them, in hex and without records: until RediSearch 2.x collects it, in 1.x until a reindex.",
};

/** Where something may be left of a user that cannot be taken back from here. */
export function notRecalled(
  { bus }: Pick<Config, "bus">,
  { model }: Pick<ActiveIndex, "model">,
): Receipt["not_recalled"] {
  const { kafka, webhook } = bus;
  return [
    ...(kafka
      ? [
          {
            what: `Kafka topics ${kafka.topicPrefix}.*`,
            why: "Events that are published there stay until they expire.",
          },
        ]
      : []),
    ...(webhook
      ? [
          {
            what: "Webhook deliveries",
            why: "Whoever received events has them; ask there to have them erased.",
          },
        ]
      : []),
    {
      what: "Consumers of the bus",
      why: "Whoever has read events from it has them; ask there to have them erased.",
    },
    ...(model.name === "redisearch" ? [TERMS] : []),
    { what: "Backups", why: "Those of Postgres and Redis hold what they held until they expire." },
    { what: "The edge", why: "It remembers tokens and limits of the last minutes, and nothing else." },
  ];
}
