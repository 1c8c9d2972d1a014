import type { IncomingMessage, ServerResponse } from "node:http";
import type { Backend } from "./backend.ts";
import { readJson } from "./body.ts";
import { type Command, manyCommands, oneCommand } from "./commands.ts";
import { Refused } from "./refused.ts";
import { asBase64, asUtf8, envelope, type TextOf } from "./reply.ts";

/** A request that passed every check and is about to reach Redis. */
export interface DoorRequest {
  path: string;
  commands: readonly Command[];
}

export interface HandlerDeps {
  backend: Backend;
  isAllowed: (authorization: string | undefined) => boolean;
  onRequest: (request: DoorRequest) => void;
  onError: (error: unknown) => void;
}

/**
 * Answers every HTTP request with JSON: the token is looked at before anything else, then the path,
 * then the commands, and only then is Redis asked.
 */
export function doorHandler(deps: HandlerDeps) {
  return async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const [status, answer] = await serve(deps, req);
      send(res, status, answer);
    } catch (error) {
      if (error instanceof Refused) return send(res, error.status, { error: error.message });
      if (req.destroyed && !req.complete) return;
      deps.onError(error);
      send(res, 500, { error: "ERR the door failed" });
    }
  };
}

async function serve(deps: HandlerDeps, req: IncomingMessage): Promise<Answer> {
  const { backend, isAllowed, onRequest } = deps;
  if (!isAllowed(req.headers.authorization)) throw new Refused(401, "Unauthorized");
  const path = (req.url ?? "").split("?", 1)[0] ?? "";
  if (!PATHS.has(path)) throw new Refused(404, "ERR no such path");
  if (req.method !== "POST") throw new Refused(405, "ERR only POST is served");

  const body = await readJson(req);
  const textOf: TextOf = req.headers["upstash-encoding"] === "base64" ? asBase64 : asUtf8;

  if (path === "/") {
    const command = oneCommand(body);
    onRequest({ path, commands: [command] });
    const reply = await backend.one(command);
    return [reply instanceof Error ? 400 : 200, envelope(reply, textOf)];
  }

  const commands = manyCommands(body);
  onRequest({ path, commands });
  const replies = await (path === "/pipeline" ? backend.many(commands) : backend.atomically(commands));
  if (replies instanceof Error) return [400, envelope(replies, textOf)];
  return [200, replies.map((reply) => envelope(reply, textOf))];
}

function send(res: ServerResponse, status: number, answer: unknown): void {
  const text = JSON.stringify(answer);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  res.end(text);
}

const PATHS = new Set(["/", "/pipeline", "/multi-exec"]);

type Answer = [status: number, answer: unknown];
