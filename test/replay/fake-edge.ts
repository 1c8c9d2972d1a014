import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Hanging up, instead of a status. */
export const SILENCE = 0;

/** What a server was asked. */
export type Asked = { method: string; path: string; query: URLSearchParams; body: string };
/** A status, or SILENCE, and what to answer with it. */
export type Said = number | { status: number; body: unknown; link?: string };

/** A server that answers as it is told to. */
export async function fakeEdge(handle: (asked: Asked) => Said | Promise<Said>): Promise<FakeEdge> {
  const server = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    const { pathname: path, searchParams: query } = new URL(req.url ?? "/", "http://edge");
    const said = await handle({ method: req.method ?? "", path, query, body });
    if (said === SILENCE) req.socket.destroy();
    else if (typeof said === "number") res.writeHead(said).end();
    else {
      res.writeHead(said.status, said.link ? { link: said.link } : {});
      res.end(JSON.stringify(said.body));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  };
}

export type FakeEdge = { url: string; close(): void };
