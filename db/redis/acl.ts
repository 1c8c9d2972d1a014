import { backlogKey, eventStream, limitPrefix } from "./keys.ts";

/**
 * The arguments of `ACL SETUSER edge ...`: the user of the edge's door, the only key to Redis that leaves the house.
 *
 * It reads views and playback sessions, runs read-only scripts over them, searches, appends to the event stream, and
 * counts the requests of users. It cannot write a view or a session, read the stream or its quarantine, list keys, or
 * administer anything. A script can do no more than its caller: Redis checks every command inside it against the same
 * rules.
 *
 * What an ACL cannot tell apart stays possible: XADD can trim the stream with MAXLEN, a script can run long, a
 * count can be set to anything. The token that opens the door is therefore still a secret of the edge.
 *
 * It starts from nothing each time, so applying it again leaves the same user. Needs Redis 7 (selectors).
 *
 * @param search whether the server has the search module: naming a command it does not know is an error.
 */
export function edgeAclRules(password: string, { search }: { search: boolean }): string[] {
  return [
    "reset",
    "on",
    `>${password}`,
    ...["%R~wh:*", "%R~pf:*", "%R~ps:session:*"],
    "+ping",
    "+acl|whoami",
    ...READS.map((command) => `+${command}`),
    // each parenthesis stands alone: its commands reach its keys only
    `(~${eventStream} ~${backlogKey} +eval +evalsha +xadd +incrby +get)`,
    `(~${limitPrefix}:* +eval +evalsha +get +incrby +pexpire)`,
    ...(search ? ["(~wh:idx +ft.search)"] : []),
  ];
}

/** Reads of one key or of named keys. Spelled out, so that a newer Redis does not widen them. */
const READS = [
  ...["eval_ro", "evalsha_ro"],
  ...["exists", "type", "ttl", "pttl", "get", "mget", "strlen"],
  ...["hget", "hmget", "hgetall", "hexists", "hlen", "hkeys", "hvals"],
  ...["zrange", "zrangebyscore", "zrevrange", "zrevrangebyscore", "zrangebylex"],
  ...["zscore", "zmscore", "zrank", "zrevrank", "zcard", "zcount", "zinter", "zunion", "zdiff", "zintercard"],
  ...["smembers", "sismember", "smismember", "scard", "sinter", "sunion", "sdiff", "sintercard"],
];
