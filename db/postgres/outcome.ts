/**
 * Is it worth another try, or is it the content that Postgres refuses?
 *
 * Poison is only what names the data: SQLSTATE classes 22 (data exception), 23 (integrity), and 54 (a limit was
 * passed). Everything else is the state of the world - a lost connection, a deadlock, a full disk, a missing
 * table, a wrong password - and is tried again, for setting events aside would not mend it.
 */
export function isPoison(error: unknown): boolean {
  return /^(22|23|54)...$/.test(sqlState(error) ?? "");
}

/** The SQLSTATE of an error; Drizzle wraps the driver's error as its cause. */
export function sqlState(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return null;
}
