/** What a client reads. */
export const VIEWS = ["history", "continue-watching", "next-up", "next-up of sport"] as const;
export type View = (typeof VIEWS)[number];
