/** Less than the time between two beats, so that a corrected clock never changes their order. */
const TIMEOUT_MS = 8_000;

/** Asks a server one thing, and hears the whole answer. @throws when there is no answer in time. */
export async function ask({ url, token, method = "GET", body }: Question): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

export type Question = {
  url: string;
  token: string;
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
};
export type Answer = { status: number; headers: Headers; body: string };
