import { parseArgs } from "node:util";
import { prepareReplay, type Sent, sendReplay } from "../test/replay/run.ts";
import { comparedLine, differenceLine, statusLine } from "../test/replay/words.ts";
import { startStack } from "../test/support/stack.ts";
import { until } from "../test/support/until.ts";
import { onStop } from "./local/on-stop.ts";
import { dataDir } from "./local/paths.ts";
import { run } from "./local/run.ts";
import { localSecrets } from "./local/secrets.ts";
import { signToken } from "./local/sign-token.ts";
import { progressBar } from "./progress.ts";

const USAGE =
  "usage: npm run replay -- [--viewers 500] [--minutes 60] [--seed 1] [--concurrency 48] [--edge URL]\n" +
  "Without --edge it brings up a whole Playhead of its own, with the Node edge, and removes it afterwards.\n" +
  "With --edge (the edge of `npm start`) tokens are made with AUTH_SECRET or DATA_DIR. Its catalogue is told of fixtures,\n" +
  "of made-up shows, and of made-up matches to come: it must not know others of the same teams.";
/** A drain that is further behind than this has stopped. */
const DRAIN_MS = 120_000;
const SHOWN_DIFFERENCES = 20;
const ZAPPERS = 0.05;

/** `npm run replay`: seeded viewers through the edge, and all their lists compared with a simple model. */
await run(async () => {
  const options = readArguments(process.argv.slice(2));
  const { viewers, minutes, seed, concurrency } = options;
  const target = await (options.edge ? running(options.edge) : own());
  onStop(
    () => void target.stop().finally(() => process.exit(130)),
    () => process.exit(130),
  );

  try {
    const now = Date.now();
    const name = `replay.${now.toString(36)}`;
    const replay = await prepareReplay({ viewers, minutes, seed, now, name, zappers: ZAPPERS });
    const sending = progressBar("sent", replay.events);
    const sent = await sendReplay(replay, {
      edge: target.edge,
      tokenFor: (user, roles) => signToken({ secret: target.secret, user, roles, env: process.env }),
      concurrency,
      onSent: sending.advance,
    });
    sending.end();
    console.log(
      `${replay.events} events in ${sent.seconds.toFixed(1)} s: ${Math.round(replay.events / sent.seconds)} accepted a second`,
    );
    console.log(`answers: ${statusLine(sent.statuses)}`);
    return await judge(sent);
  } finally {
    await target.stop();
  }
});

/** Waits until the lists are as they must be; those that are not when nothing moves any more are differences. */
async function judge(sent: Sent): Promise<number> {
  const from = performance.now();
  let comparison = await sent.compare();
  const equal = async () => {
    if (comparison.differences.length > 0) comparison = await sent.compare();
    return comparison.differences.length === 0;
  };
  await until(equal, { timeout: DRAIN_MS }).catch(() => {});
  const seconds = ((performance.now() - from) / 1_000).toFixed(1);
  console.log(`compared after ${seconds} s, in items: ${comparedLine(comparison)}`);

  const { differences, lost } = comparison;
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) console.log(differenceLine(difference));
  if (differences.length > SHOWN_DIFFERENCES)
    console.log(`... and ${differences.length - SHOWN_DIFFERENCES} more`);
  if (lost > 0) console.log(`${lost} accepted events are newer than what is shown`);
  console.log(`${sent.users} users, ${sent.events} events, ${differences.length} differences`);
  return differences.length === 0 ? 0 : 1;
}

async function own(): Promise<Target> {
  console.log("Bringing up a Playhead of its own: Postgres, Redis, the door, ingest, the Node edge");
  const { edge, secret, stop } = await startStack();
  return { edge: edge.url, secret, stop };
}

/** @throws when nobody answers there: a replay would wait for it in vain. */
async function running(edge: string): Promise<Target> {
  const alive = await fetch(`${edge}/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  if (!alive?.ok) throw new Error(`No edge answers at ${edge}. Is \`npm start\` running?`);
  const secret = process.env.AUTH_SECRET || localSecrets(dataDir(process.env)).auth_secret;
  return { edge, secret, stop: async () => {} };
}

function readArguments(args: string[]): Arguments {
  const text = { type: "string" } as const;
  const options = { viewers: text, minutes: text, seed: text, concurrency: text, edge: text };
  let values: { [name in keyof typeof options]?: string };
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (cause) {
    throw new Error(USAGE, { cause });
  }
  const count = (name: "viewers" | "minutes" | "concurrency", usual: number) => {
    const number = Number(values[name] ?? usual);
    if (!Number.isSafeInteger(number) || number < 1)
      throw new Error(`--${name} is a whole number, 1 or more\n${USAGE}`);
    return number;
  };
  return {
    viewers: count("viewers", 500),
    minutes: count("minutes", 60),
    concurrency: count("concurrency", 48),
    seed: values.seed ?? "1",
    edge: values.edge?.replace(/\/+$/, ""),
  };
}

type Arguments = {
  viewers: number;
  minutes: number;
  concurrency: number;
  seed: string;
  edge: string | undefined;
};
type Target = { edge: string; secret: string; stop(): Promise<void> };
