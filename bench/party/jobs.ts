/** What a crowd's process can be asked for. */
export type CrowdJob = Gather | Chat;

/** Members connect and join. The answer comes when all of them are in. */
export type Gather = {
  kind: "gather";
  url: string;
  /** Each with the tokens of its members. */
  parties: readonly { party_id: string; tokens: readonly string[] }[];
};

/**
 * Members chat. Without a rate some of each party send again once they are answered; with one, so many messages are sent
 * each second by everybody in turn.
 */
export type Chat = {
  kind: "chat";
  url: string;
  seconds: number;
  speakers: number;
  /** Messages a second; 0 for as fast as they are answered. */
  rate: number;
};

export type CrowdOutcome =
  | { joined: number }
  /** Chat messages that members heard, and how long each was on its way, in ms. */
  | { heard: number; latencies: number[]; refused: number }
  | { failed: string };
