import { type ChildProcess, execFile, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Apt, thisApt } from "../../db/local/apt.ts";
import { tether } from "../../db/local/tether.ts";
import { until } from "./until.ts";

/**
 * A Kafka cluster of three brokers, all of it in one process of kcat: librdkafka's own mock. It speaks the protocol and
 * forgets everything when it ends; its ports are others each time.
 */
export async function startMockKafka(): Promise<MockKafka> {
  const kcat = ensureKcat();
  const args = ["-P", "-b", "mock", "-X", "test.mock.num.brokers=3", "-d", "mock", "-t", "warm"];
  // It lives for as long as its stdin is open.
  const child = spawn(kcat, args, { stdio: ["pipe", "ignore", "pipe"] });
  const cut = tether(child.pid ?? 0, "SIGTERM");
  let said = "";
  child.stderr.on("data", (chunk) => {
    if (said.length < 10_000) said += String(chunk);
  });
  const brokers = await until(() => /bootstrap\.servers=([\d.:,]+)/.exec(said)?.[1]?.split(","), {
    what: "kcat to say where its brokers are",
  });
  return {
    brokers,
    async stop() {
      cut();
      await killed(child);
    },
  };
}

/** Everything that is in a topic, in the order of each partition, as kcat reads it. */
export async function consumed({ brokers }: Pick<MockKafka, "brokers">, topic: string): Promise<Consumed[]> {
  const format = "%p\t%k\t%h\t%s\n";
  const args = ["-C", "-b", brokers.join(), "-t", topic, "-o", "beginning", "-e", "-q", "-f", format];
  const { stdout } = await promisify(execFile)(ensureKcat(), args, { maxBuffer: 64e6 });
  return stdout.split("\n").flatMap((line) => {
    const [partition, key = "", headers = "", value = ""] = line.split("\t");
    return line === "" ? [] : [{ partition: Number(partition), key, headers, value }];
  });
}

/** One address for brokers that come and go: whoever connects is passed on to where it points then. */
export async function startPassage(): Promise<Passage> {
  let target: number | undefined;
  const open = new Set<Socket>();
  const server = createServer((from) => {
    if (target === undefined) return void from.destroy();
    const to = connect(target, "127.0.0.1");
    for (const [one, another] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one.on("error", () => another.destroy());
      one.on("close", () => {
        open.delete(one);
        another.destroy();
      });
      one.pipe(another);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    broker: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    to(kafka) {
      target = kafka ? Number(kafka.brokers[0]?.split(":")[1]) : undefined;
      for (const socket of open) socket.destroy();
    },
    stop() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** The program, from PATH, or from Debian where it may be installed without asking. */
function ensureKcat(apt: Apt = thisApt): string {
  const found = onPath();
  if (found !== undefined) return found;
  const prefix = apt.aptPrefix();
  if (prefix !== undefined) {
    apt.say("No kcat here: installing Debian's kcat with apt-get, for the tests of Kafka.");
    const env = ["env", "DEBIAN_FRONTEND=noninteractive"];
    const install = () =>
      apt.run([...prefix, ...env, "apt-get", "install", "-y", "--no-install-recommends", "kcat"]);
    try {
      install();
    } catch {
      apt.run([...prefix, ...env, "apt-get", "update"]);
      install();
    }
  }
  const installed = onPath();
  if (installed === undefined) {
    throw new Error("The tests of Kafka need kcat. One command is enough:  sudo apt-get install -y kcat");
  }
  return installed;
}

function onPath(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  return folders.map((folder) => join(folder, "kcat")).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

export type MockKafka = { brokers: string[]; stop(): Promise<void> };
export type Consumed = { partition: number; key: string; headers: string; value: string };
export type Passage = {
  broker: string;
  /** Undefined: nobody is there. Whoever is connected is cut off. */
  to(kafka: Pick<MockKafka, "brokers"> | undefined): void;
  stop(): void;
};
