/** Calls when the time of a party has come; of each only the time that was set last. */
export function partyTicker(
  clock: () => number,
  tick: (party_id: string) => void,
): { set: (party_id: string, at: number | null) => void; stop: () => void } {
  const timers = new Map<string, { at: number; timer: NodeJS.Timeout }>();

  return {
    set(party_id, at) {
      const known = timers.get(party_id);
      if (known?.at === at) return;
      clearTimeout(known?.timer);
      timers.delete(party_id);
      if (at === null) return;
      const timer = setTimeout(
        () => {
          timers.delete(party_id);
          tick(party_id);
        },
        Math.max(0, at - clock()),
      ).unref();
      timers.set(party_id, { at, timer });
    },

    stop() {
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
