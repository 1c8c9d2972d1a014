import { io, type Socket } from "socket.io-client";
import { evenly } from "../load/evenly.ts";
import type { Chat, CrowdJob, CrowdOutcome, Gather } from "./jobs.ts";

/** The process of a crowd: takes jobs from its parent one at a time, and ends with it. */
const crowds = new Map<string, Socket[][]>();
const JOIN_TIMEOUT_MS = 60_000;
/** A connection of a party may say 20 things a second. */
const SPEAK_EVERY_MS = 55;
const TEXT = "Did you see that? ".repeat(4);

let hearing: { heard: number; latencies: number[] } | null = null;
let sent = 0;

process.on("message", (job: CrowdJob) => {
  void outcomeOf(job).then((outcome) => process.send?.(outcome));
});
process.once("disconnect", () => process.exit());

async function outcomeOf(job: CrowdJob): Promise<CrowdOutcome> {
  try {
    return await (job.kind === "gather" ? gather(job) : chat(job));
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

async function gather({ url, parties }: Gather): Promise<CrowdOutcome> {
  const crowd: Socket[][] = [];
  for (const { party_id, tokens } of parties) {
    const members = await Promise.all(tokens.map((token) => join(url, party_id, token)));
    crowd.push(members);
  }
  crowds.set(url, crowd);
  return { joined: crowd.flat().length };
}

async function join(url: string, party_id: string, token: string): Promise<Socket> {
  const socket = io(`${url}/parties`, { transports: ["websocket"], forceNew: true, auth: { token } });
  socket.on("chat", ({ id }: { id: string }) => {
    if (hearing === null) return;
    hearing.heard++;
    hearing.latencies.push(now() - Number(id.split(":")[0]));
  });
  const deadline = performance.now() + JOIN_TIMEOUT_MS;
  for (;;) {
    const answer = await socket.timeout(JOIN_TIMEOUT_MS).emitWithAck("join", { party_id });
    if (answer.ok) return socket;
    // Its party is about to open.
    if (answer.refused !== "not_open" || performance.now() > deadline) throw new Error(answer.refused);
    await pause(50);
  }
}

async function chat({ url, seconds, speakers, rate }: Chat): Promise<CrowdOutcome> {
  const crowd = crowds.get(url) ?? [];
  let refused = 0;
  async function say(socket: Socket | undefined): Promise<void> {
    const message = { id: `${now()}:${process.pid}:${++sent}`, text: TEXT };
    const answer = await socket?.timeout(30_000).emitWithAck("chat", message);
    if (answer?.ok) return;
    refused++;
    await pause(100);
  }

  if (rate > 0) {
    const members = crowd.flat();
    // What an earlier job said has been heard by then.
    await pause(1_000);
    // Neighbours in time are not neighbours in a party.
    hearing = { heard: 0, latencies: [] };
    await evenly(rate, seconds, (nth) => say(members[(nth * 7) % members.length]));
  } else {
    const until = performance.now() + (seconds + 1) * 1_000;
    const talking = crowd
      .flatMap((members) => members.slice(0, speakers))
      .map(async (socket) => {
        while (performance.now() < until) await Promise.all([say(socket), pause(SPEAK_EVERY_MS)]);
      });
    await pause(1_000);
    hearing = { heard: 0, latencies: [] };
    await pause(seconds * 1_000);
    const seen = { ...hearing, latencies: [], refused };
    hearing = null;
    await Promise.all(talking);
    return seen;
  }
  await pause(200);
  const seen = { ...hearing, refused };
  hearing = null;
  return seen;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Milliseconds, comparable between processes of one machine. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
