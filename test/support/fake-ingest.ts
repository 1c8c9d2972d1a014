import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";

/** A real HTTP server in the place of ingest: it remembers what it was asked, and answers what it is told to. */
export async function startFakeIngest(): Promise<FakeIngest> {
  const fake = {
    asked: [] as Asked[],
    held: [] as ServerResponse[],
    answer: (): FakeIngestAnswer => ({ status: 204 }),
  };

  const open = (port: number) =>
    new Promise<Server>((resolve, reject) => {
      const server = createServer((request, response) => {
        if (fake.answer() === "echoes")
          return void pipeline(request, response.writeHead(200, LINES), () => {});
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const { method = "", url: path = "", headers } = request;
          if (path === "/health") return void response.writeHead(200).end('{"status":"ok"}');
          fake.asked.push({ method, path, headers, body: Buffer.concat(chunks) });
          const answer = fake.answer();
          if (answer === "nothing" || answer === "echoes") return;
          if (answer === "begins") {
            fake.held.push(response.writeHead(200, DOCUMENT));
            return void response.write('{"begun": true');
          }
          if (answer === "hangs up") return void request.socket.destroy();
          response.writeHead(answer.status, answer.headers).end(answer.body);
        });
      });
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve(server));
    });

  let server = await open(0);
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return Object.assign(fake, {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    async start() {
      server = await open(port);
    },
  });
}

const DOCUMENT = {
  ...{ "content-type": "application/json", "content-disposition": "attachment" },
  "cache-control": "no-transform",
};
const LINES = { "content-type": "application/x-ndjson" };

export type Asked = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer };
export type Answer = { status: number; headers?: Record<string, string>; body?: string };
/**
 * "nothing": it takes the request and never answers. "hangs up": it takes the request and the reply is lost.
 * "echoes": it says every byte again as it comes, and remembers nothing. "begins": it begins with a document, and whether
 * that ends is up to whoever has what is `held`.
 */
export type FakeIngestAnswer = Answer | "nothing" | "hangs up" | "echoes" | "begins";
export type FakeIngest = {
  url: string;
  /** What it was asked, health apart. */
  asked: Asked[];
  held: ServerResponse[];
  answer: () => FakeIngestAnswer;
  stop(): Promise<void>;
  /** Again, at the same place. */
  start(): Promise<void>;
};
