import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CloudEvent } from "../../db/contract/cloud-events.ts";

/** A secret as an operator would make one. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** A receiver of webhooks that believes signed requests only, and answers as it is told: 204 unless it says otherwise. */
export async function startReceiver(secret: string, answer: Answer = () => {}, port = 0): Promise<Receiver> {
  const posts: Post[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { headers, url: path = "" } = request;
    const signed = isSigned(secret, headers, body);
    const parsed = JSON.parse(body);
    const post = { headers, body, path, events: [parsed].flat(), signed, at: performance.now() };
    posts.push(post);
    await answer(response, post, posts);
    if (!response.headersSent) response.writeHead(signed ? 204 : 401);
    if (!response.writableEnded) response.end();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?for=playhead`,
    posts,
    ids: () => posts.flatMap(({ events }) => events.map(({ id }) => id)),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As the specification of Standard Webhooks says it, without any code of ours. */
export function isSigned(secret: string, headers: IncomingHttpHeaders, body: string): boolean {
  const [id, timestamp] = [headers["webhook-id"], headers["webhook-timestamp"]];
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  return String(headers["webhook-signature"])
    .split(" ")
    .filter((signature) => signature.startsWith("v1,"))
    .map((signature) => Buffer.from(signature.slice(3), "base64"))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

export type Post = {
  headers: IncomingHttpHeaders;
  body: string;
  path: string;
  events: CloudEvent[];
  signed: boolean;
  at: number;
};
type Answer = (response: ServerResponse, post: Post, posts: readonly Post[]) => unknown;
export type Receiver = {
  url: string;
  posts: Post[];
  ids(): string[];
  stop(): Promise<void>;
};
