/** Every way to say no, with its status. The compiler demands an entry for every code that is thrown. */
export const REFUSALS = {
  malformed_json: { status: 400, title: "The body is not JSON" },
  unauthorized: { status: 401, title: "A valid token is needed" },
  forbidden: { status: 403, title: "Not yours" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Not with this method" },
  body_too_slow: { status: 408, title: "The body came too slowly" },
  wrong_state: { status: 409, title: "Not in its present state" },
  list_full: { status: 409, title: "The list is full" },
  erased: { status: 410, title: "The user was erased" },
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The body is of another type" },
  invalid_input: { status: 422, title: "The input is not valid" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Something went wrong" },
  history_off: { status: 501, title: "History is off" },
  erasing: { status: 503, title: "The user is still being erased" },
  backlog_full: { status: 503, title: "Too many events are waiting" },
  unavailable: { status: 503, title: "A store is out of reach" },
} as const satisfies Record<string, { status: number; title: string }>;

export type RefusalCode = keyof typeof REFUSALS;

/** Where the input is wrong: `events.3.playback_time`, and in words why. */
export type Fault = { path: string; message: string };

/** An expected no. Everything else that is thrown is answered as `internal`, with the request id alone. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly extra: RefusalExtra;

  constructor(code: RefusalCode, detail: string, extra: RefusalExtra = {}) {
    super(detail, extra.cause === undefined ? {} : { cause: extra.cause });
    this.code = code;
    this.extra = extra;
  }
}

export type RefusalExtra = {
  errors?: readonly Fault[];
  /** Members added to the problem document, such as the per-item results of a batch. */
  members?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
  cause?: unknown;
};

/** A thrown thing as an HTTP answer: RFC 9457 problem details. Only a `Refusal` says more than the request id. */
export function problem(thrown: unknown, requestId: string): Problem {
  const refusal = thrown instanceof Refusal ? thrown : new Refusal("internal", `Request ${requestId} failed`);
  const { status, title } = REFUSALS[refusal.code];
  const { errors, members, retryAfterSeconds } = refusal.extra;
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
  if (status === 401) headers["www-authenticate"] = "Bearer";
  if (status === 429 || status === 503) headers["retry-after"] = String(retryAfterSeconds ?? 1);
  const body = {
    type: `urn:playhead:problem:${refusal.code}`,
    title,
    status,
    detail: refusal.message,
    code: refusal.code,
    request_id: requestId,
    ...(errors ? { errors } : {}),
    ...members,
  };
  return { status, headers, body: JSON.stringify(body) };
}

export type Problem = { status: number; headers: Record<string, string>; body: string };

/** zod's issues as faults; `at` is where the checked value sits in the request. What is too much is named, each alone. */
export function faultsOf(issues: readonly Issue[], at: readonly PropertyKey[] = []): Fault[] {
  return issues.flatMap(({ path, message, keys }) =>
    keys
      ? keys.map((key) => ({ path: pathOf([...at, ...path, key]), message: "unknown here" }))
      : [{ path: pathOf([...at, ...path]), message }],
  );
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}

/** What zod says; `keys` are members that a strict object does not know. */
type Issue = { path: readonly PropertyKey[]; message: string; keys?: readonly string[] };

/** Checks a value against a schema, or refuses with the path of each fault. */
export function checked<T>(schema: Checks<T>, value: unknown, at: readonly PropertyKey[] = []): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = faultsOf(result.error.issues, at);
  const detail = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
  throw new Refusal("invalid_input", detail, { errors });
}

type Checks<T> = {
  safeParse(value: unknown):
    | { success: true; data: T }
    | {
        success: false;
        error: { issues: readonly Issue[] };
      };
};
