/**
 * Lua that must be atomic, as its source. Clients send its digest, and the source when Redis does not know it;
 * a read-only one goes by EVALSHA_RO, so that a restricted user may run it.
 */
export type Script = {
  source: string;
  readOnly: boolean;
  /** What it is called in traces. */
  name?: string;
};
