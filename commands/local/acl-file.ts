import { createHash } from "node:crypto";
import * as z from "zod";
import { edgeAclRules } from "../../db/redis/acl.ts";

/** Of each of both: 16 characters at least, none of them a space. */
const password = z.string().regex(/^[\x21-\x7e]{16,}$/, "16 printable ASCII characters at least, no spaces");

export const Environment = z.object({
  REDIS_PASSWORD: password.describe(
    "For `redis-users`: the password of Redis' default user, who may do everything",
  ),
  EDGE_REDIS_PASSWORD: password.describe(
    "For `redis-users`: the password of its user `edge`, whom the door connects as",
  ),
});

/**
 * The users of a Redis that only Playhead uses, as the text of an ACL file: `default`, for ingest and the commands, and `edge`,
 * for the door of the edge. Passwords are in it as SHA-256. A Redis with this `aclfile` has its users after every restart.
 *
 * @param search whether the server has the search module: a command that it does not know keeps it from starting.
 */
export function aclFile(passwords: z.infer<typeof Environment>, { search }: { search: boolean }): string {
  const { REDIS_PASSWORD, EDGE_REDIS_PASSWORD } = passwords;
  const rules = edgeAclRules(EDGE_REDIS_PASSWORD, { search })
    .filter((rule) => rule !== "reset")
    .map((rule) => (rule === `>${EDGE_REDIS_PASSWORD}` ? digest(EDGE_REDIS_PASSWORD) : rule));
  return `user default on ${digest(REDIS_PASSWORD)} ~* &* +@all\nuser edge ${rules.join(" ")}\n`;
}

function digest(password: string): string {
  return `#${createHash("sha256").update(password).digest("hex")}`;
}
