import { spawn } from "node:child_process";
import { once } from "node:events";
import { type RedisConfigNodejs, Redis as Upstash } from "@upstash/redis";
import { Redis } from "ioredis";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { edgeAclRules } from "../../db/redis/acl.ts";
import { backlogKey, deadStream, eventStream } from "../../db/redis/keys.ts";
import { type Door, type DoorOptions, startDoor } from "../../ingest/redis-rest/door.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";

const TOKEN = "the-token-of-this-test";
const PATHS = ["/", "/pipeline", "/multi-exec"];
const TEXTS = [
  "",
  "OK",
  "héllo",
  "日本語",
  "👩‍👩‍👧 🏴‍☠️",
  'a"b\\c\r\n\t\u0000z',
  '{"a":[1,"2"]}',
  "null",
  "007",
  "1e3",
  "T0s=",
];

let redis: TestRedis;
let raw: Redis;
let door: Door;
let seen: string[];
const doors: Door[] = [];

beforeAll(async () => {
  redis = await startTestRedis({ appendfsync: "no" });
  raw = new Redis(redis.url);
  raw.on("error", () => {}); // some tests kill its server
});
beforeEach(async () => {
  await raw.flushall();
  await raw.script("FLUSH");
  seen = [];
  door = await openDoor({
    onRequest: ({ path, commands }) => seen.push([path, ...commands.map((c) => c.name)].join(" ")),
  });
});
afterEach(async () => {
  await Promise.all(doors.splice(0).map((opened) => opened.stop()));
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

describe("through the real client", () => {
  test.each(TEXTS)("%j comes back as it went in", async (text) => {
    const upstash = client({ automaticDeserialization: false });

    expect(await upstash.set("k", text)).toBe("OK");
    expect(await raw.get("k")).toBe(text);
    expect(await upstash.get("k")).toBe(text);
    expect(await upstash.hset("h", { [`f${text}`]: text })).toBe(1);
    expect(await upstash.hmget("h", `f${text}`, "none")).toEqual([text, null]);
    expect(await upstash.hgetall("h")).toEqual(await raw.call("HGETALL", "h"));
    expect(await upstash.eval("return {ARGV[1], {ARGV[1], {ARGV[1]}}}", [], [text])).toEqual([
      text,
      [text, [text]],
    ]);
  });

  test("replies have the shapes that Redis itself gives", async () => {
    const upstash = client({ automaticDeserialization: false });
    await raw.hset("h", { a: "1", b: "two" });
    await raw.zadd("z", 1, "one", 2.5, "two", 3, "three");
    await raw.xadd("s", "1-1", "f", "v");
    const shapes = "return {1, -7, false, 'x', {}, {{'deep', {2}}, false}, 'OK'}";

    const same: [unknown, string[]][] = [
      [await upstash.hget("h", "b"), ["HGET", "h", "b"]],
      [await upstash.hget("h", "none"), ["HGET", "h", "none"]],
      [await upstash.exec(["HGETALL", "h"]), ["HGETALL", "h"]],
      [await upstash.exec(["HGETALL", "none"]), ["HGETALL", "none"]],
      [await upstash.exec(["HMGET", "h", "a", "none"]), ["HMGET", "h", "a", "none"]],
      [await upstash.zrange("z", 0, -1, { rev: true }), ["ZRANGE", "z", "0", "-1", "REV"]],
      [
        await upstash.zrange("z", "+inf", "(1", {
          byScore: true,
          rev: true,
          withScores: true,
          offset: 0,
          count: 2,
        }),
        ["ZRANGE", "z", "+inf", "(1", "BYSCORE", "REV", "LIMIT", "0", "2", "WITHSCORES"],
      ],
      [await upstash.exec(["XRANGE", "s", "-", "+"]), ["XRANGE", "s", "-", "+"]],
      [await upstash.exec(["EVAL", shapes, 0]), ["EVAL", shapes, "0"]],
    ];
    for (const [viaDoor, [name = "", ...args]] of same) {
      expect(viaDoor, name).toEqual(await raw.call(name, ...args));
    }
  });

  test("with the client's own deserialisation, values are what was set", async () => {
    const upstash = client();
    const value = { title: "Ünïcode 🎬", parts: [1, "2", null] };

    await upstash.set("k", value);
    await upstash.hset("h", { a: value, n: 5 });
    await upstash.zadd("z", { score: 2, member: "b" }, { score: 1, member: "a" });

    expect(await upstash.get("k")).toEqual(value);
    expect(await upstash.get("none")).toBeNull();
    expect(await upstash.hgetall("h")).toEqual({ a: value, n: 5 });
    expect(await upstash.hgetall("none")).toBeNull();
    expect(await upstash.hmget("h", "n", "none")).toEqual({ n: 5, none: null });
    expect(await upstash.zrange("z", 0, -1, { withScores: true })).toEqual(["a", 1, "b", 2]);
    expect(await upstash.incrby("n", 42)).toBe(42);
    expect(await upstash.ping()).toBe("PONG");
    expect(await upstash.del("k", "none")).toBe(1);
  });

  test("XADD appends one entry", async () => {
    const id = await client().xadd("s", "*", { event: '{"a":"é"}' });

    expect(await raw.xrange("s", "-", "+")).toEqual([[id, ["event", '{"a":"é"}']]]);
  });

  test.each([true, false])(
    "a script is sent whole once, then by its digest (read-only: %s)",
    async (readonly) => {
      const upstash = client({ automaticDeserialization: false, enableAutoPipelining: false });
      const source = `return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1])} -- ${readonly}`;
      const script = readonly
        ? upstash.createScript(source, { readonly: true })
        : upstash.createScript(source);
      await raw.set("k", "välue");

      expect(await script.exec(["k"], ["arg"])).toEqual(["k", "arg", "välue"]);
      expect(await script.exec(["k"], ["arg"])).toEqual(["k", "arg", "välue"]);

      const ro = readonly ? "_RO" : "";
      expect(seen).toEqual([`/ EVALSHA${ro}`, `/ EVAL${ro}`, `/ EVALSHA${ro}`]);
      expect(door.requests()).toBe(3);
    },
  );

  test("the fall-back to the whole script also works inside an automatic pipeline", async () => {
    const upstash = client({ automaticDeserialization: false });
    const script = upstash.createScript<string, true>("return ARGV[1]", { readonly: true });

    const answers = await Promise.all([script.exec([], ["a"]), upstash.get("none"), script.exec([], ["b"])]);

    expect(answers).toEqual(["a", null, "b"]);
  });

  test("a pipeline is one request, and one bad command spoils only itself", async () => {
    const pipeline = client()
      .pipeline()
      .set("k", "v")
      .hget("k", "f")
      .get<string>("k")
      .exec({ keepErrors: true });
    const [set, wrong, get] = await pipeline;

    expect(set.result).toBe("OK");
    expect(wrong.error).toBe("WRONGTYPE Operation against a key holding the wrong kind of value");
    expect(get.result).toBe("v");
    expect(seen).toEqual(["/pipeline SET HGET GET"]);
  });

  test("a transaction answers item by item", async () => {
    const upstash = client();

    expect(await upstash.multi().set("k", "é").incrby("n", 3).get("k").get("none").exec()).toEqual([
      "OK",
      3,
      "é",
      null,
    ]);
    expect(door.requests()).toBe(1);
  });

  test("FT.SEARCH answers as it does to a plain client", async (context) => {
    if (!redis.search) context.skip("this Redis has no search module");
    await createIndex();
    const query: [string, ...string[]] = ["FT.SEARCH", "wh:idx", "@user:{616c}", "NOCONTENT"];

    const viaDoor = await client({ automaticDeserialization: false }).exec(query);

    expect(viaDoor).toEqual([1, "wh:record:{al}:1"]);
    expect(viaDoor).toEqual(await raw.call("FT.SEARCH", ...query.slice(1)));
  });
});

describe("the protocol", () => {
  test("bytes that are not UTF-8 arrive exactly when base64 is asked for", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await raw.set("bin", bytes);
    await raw.hset("h", "f", bytes);
    const b64 = bytes.toString("base64");

    expect(await answer("/", ["GET", "bin"], BASE64)).toEqual([200, { result: b64 }]);
    expect(await answer("/", ["HMGET", "h", "f", "x"], BASE64)).toEqual([200, { result: [b64, null] }]);
    const nested = ["EVAL", "local b = redis.call('GET', KEYS[1]) return {b, {b, {b, 1}}}", 1, "bin"];
    expect(await answer("/", nested, BASE64)).toEqual([200, { result: [b64, [b64, [b64, 1]]] }]);
    const both = [{ result: b64 }, { result: [Buffer.from("f").toString("base64"), b64] }];
    for (const path of ["/pipeline", "/multi-exec"]) {
      expect(
        await answer(
          path,
          [
            ["GET", "bin"],
            ["HGETALL", "h"],
          ],
          BASE64,
        ),
      ).toEqual([200, both]);
    }
  });

  test("without the header, strings are plain", async () => {
    await raw.set("k", "é🎬");
    expect(await answer("/", ["GET", "k"])).toEqual([200, { result: "é🎬" }]);
    expect(await answer("/pipeline", [["GET", "k"]])).toEqual([200, [{ result: "é🎬" }]]);
  });

  test("an error of Redis is a 400 with its text, whatever the encoding", async () => {
    await raw.set("k", "v");
    for (const command of [["HGET", "k", "f"], ["NOSUCH", "a"], ["GET"], ["EVALSHA", "f".repeat(40), 0]]) {
      const [name = "", ...args] = command.map(String);
      const text = await raw.call(name, ...args).catch((error: Error) => error.message);
      expect(await answer("/", command, BASE64)).toEqual([400, { error: text }]);
      expect(await answer("/pipeline", [["PING"], command])).toEqual([
        200,
        [{ result: "PONG" }, { error: text }],
      ]);
    }
  });

  test("a command refused while queueing discards the transaction", async () => {
    const [status, body] = await answer("/multi-exec", [["SET", "k", "v"], ["GET"], ["INCR", "n"]]);

    expect([status, body]).toEqual([
      400,
      { error: "EXECABORT Transaction discarded because of previous errors." },
    ]);
    expect(await raw.exists("k", "n")).toBe(0);
  });

  test("a command that fails inside the transaction fails alone", async () => {
    expect(
      await answer("/multi-exec", [
        ["SET", "k", "v"],
        ["INCR", "k"],
        ["GET", "k"],
      ]),
    ).toEqual([
      200,
      [{ result: "OK" }, { error: "ERR value is not an integer or out of range" }, { result: "v" }],
    ]);
  });

  test("transactions that share the connection do not run into each other", async () => {
    const triple = Array.from({ length: 3 }, () => ["INCR", "n"]);
    const rounds = Array.from({ length: 100 }, async () => {
      const single = answer("/", ["INCR", "n"]);
      const [status, body] = await answer("/multi-exec", triple);
      await single;
      expect(status).toBe(200);
      return (body as { result: number }[]).map((item) => item.result);
    });

    for (const [first = 0, ...others] of await Promise.all(rounds))
      expect(others).toEqual([first + 1, first + 2]);
    expect(await raw.get("n")).toBe("400");
  });

  test.each(PATHS)("%s asks for the token first", async (path) => {
    const command = ["SET", "intruder", "x"];
    const body = JSON.stringify(path === "/" ? command : [command]);
    const headers: Record<string, string>[] = [
      {},
      { authorization: "Bearer wrong" },
      { authorization: `Basic ${TOKEN}` },
      { authorization: TOKEN },
    ];
    for (const header of headers) {
      const response = await fetch(door.url + path, { method: "POST", headers: header, body });
      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toContain("application/json");
      expect(await response.json()).toEqual({ error: "Unauthorized" });
    }
    expect(await raw.exists("intruder")).toBe(0);
    expect(door.requests()).toBe(0);
  });

  test("unknown paths and methods are refused, and only to those with the token", async () => {
    expect((await fetch(`${door.url}/get/k`, { method: "POST" })).status).toBe(401);
    expect((await answer("/get/k", ["PING"]))[0]).toBe(404);
    expect((await answer("/pipeline/", [["PING"]]))[0]).toBe(404);
    expect((await fetch(door.url, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(405);
  });

  test.each(PATHS)("%s answers malformed bodies with 400 and stays up", async (path) => {
    const bodies = [
      "",
      "{",
      "null",
      "{}",
      "7",
      '"GET"',
      "[]",
      "[[]]",
      "[[[]]]",
      "[null]",
      '[["GET",{}]]',
      '["GET",null]',
    ];
    for (const body of [...bodies, Buffer.from('["SET","k","\xff"]', "latin1")]) {
      const [status, reply] = await send(path, body);
      expect([status, reply], String(body)).toEqual([400, { error: expect.stringMatching(/^ERR /) }]);
    }
    expect(await answer("/", ["PING"])).toEqual([200, { result: "PONG" }]);
  });

  test("8 MB pass, one byte more does not", async () => {
    const limit = 8 * 1024 * 1024;
    const body = (size: number) =>
      JSON.stringify(["SET", "big", ""]).replace(/""/, `"${"x".repeat(size - 16)}"`);
    expect(Buffer.byteLength(body(limit))).toBe(limit);

    expect(await send("/", body(limit))).toEqual([200, { result: "OK" }]);
    expect(await raw.strlen("big")).toBe(limit - 16);
    expect(await send("/", body(limit + 1))).toEqual([413, { error: expect.stringMatching(/^ERR /) }]);
  });

  test("a command of very many parts passes", async () => {
    const fields = Array.from({ length: 200_000 }, (_, i) => String(i));
    expect(await answer("/", ["HSET", "h", ...fields])).toEqual([200, { result: 100_000 }]);
  });
});

describe("what is not served", () => {
  const lines = [
    "SUBSCRIBE c|PSUBSCRIBE c*|SSUBSCRIBE c|UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE|MONITOR",
    "BLPOP l 0|BRPOP l 0|BLMOVE a b LEFT LEFT 0|BRPOPLPUSH a b 0|BZPOPMIN z 0|BZPOPMAX z 0|BLMPOP 0 1 l LEFT",
    "BZMPOP 0 1 z MIN|WAIT 1 0|WAITAOF 1 0 0|XREAD BLOCK 0 STREAMS s $|XREAD COUNT 1 BLOCK 0 STREAMS s $",
    "XREADGROUP GROUP g c BLOCK 0 STREAMS s >|SELECT 1|AUTH x|HELLO 3|CONFIG GET *|MODULE LIST|ACL LIST",
    "CLIENT REPLY OFF|DEBUG SLEEP 0|SHUTDOWN NOSAVE|REPLICAOF NO ONE|SLAVEOF NO ONE|CLUSTER INFO|FAILOVER",
    "SAVE|BGSAVE|BGREWRITEAOF|MULTI|EXEC|WATCH k|UNWATCH|DISCARD|RESET|QUIT|SYNC|PSYNC ? -1|FUNCTION LIST",
    "SCRIPT KILL|SCRIPT DEBUG NO|LATENCY RESET|MIGRATE h 1 k 0 1|SLOWLOG GET|SWAPDB 0 1|READONLY|ASKING|CONSTRUCTOR",
  ];
  const commands = lines.flatMap((line) => line.split("|")).map((line) => line.split(" "));
  const lower = (words: string[]) => words.map((word) => word.toLowerCase());
  const mixed = (words: string[]) =>
    words.map((word) => word.replace(/./g, (c, i: number) => (i % 2 ? c.toLowerCase() : c.toUpperCase())));

  test.each(PATHS)("%s refuses them, in any case, and runs nothing", async (path) => {
    for (const command of commands.flatMap((words) => [words, lower(words), mixed(words)])) {
      const body = path === "/" ? command : [["SET", "side", "effect"], command, ["PING"]];
      const [status, reply] = await answer(path, body);
      expect([status, reply], command.join(" ")).toEqual([
        400,
        { error: expect.stringContaining("not available over HTTP") },
      ]);
    }
    expect(door.requests()).toBe(0);
    expect(await raw.exists("side")).toBe(0);
  });

  test("reading a stream without waiting is served", async () => {
    await raw.xadd("block", "1-1", "f", "v");
    expect(await answer("/", ["XREAD", "COUNT", 1, "STREAMS", "block", 0])).toEqual([
      200,
      { result: [["block", [["1-1", ["f", "v"]]]]] },
    ]);
  });
});

describe("when Redis is in trouble", () => {
  test("a dead Redis is a quick 503 on every path, and its return is noticed", async () => {
    const told: string[] = [];
    const reconnections = countReconnections();
    const other = await openDoor({ onError: (error) => told.push(String(error)) });
    await answer("/", ["constructor"], {}, other);
    expect(await answer("/", ["SET", "k", "v"], {}, other)).toEqual([200, { result: "OK" }]);

    await redis.kill();
    for (const path of PATHS) {
      const before = performance.now();
      const [status, body] = await answer(path, path === "/" ? ["GET", "k"] : [["GET", "k"]], {}, other);
      expect([status, body], path).toEqual([503, { error: expect.stringMatching(/^ERR .*Redis/) }]);
      expect(performance.now() - before).toBeLessThan(1_000);
    }
    await reconnections(4); // of a client like the door's, which has been refused as often by then

    redis = await redis.restart();
    await vi.waitFor(async () => {
      expect(await answer("/", ["GET", "k"], {}, other)).toEqual([200, { result: "v" }]);
    }, WAIT);
    expect(await answer("/multi-exec", [["GET", "k"]], {}, other)).toEqual([200, [{ result: "v" }]]);
    expect(told).toEqual([expect.stringMatching(/ECONNREFUSED|ECONNRESET/)]);
  });

  test("a command without an answer is given up, never sent again", async () => {
    freeze();
    const [status, body] = await answer("/", ["INCR", "n"]);
    expect([status, body]).toEqual([503, { error: expect.stringContaining("may or may not have run") }]);

    await redis.kill();
    redis = await redis.restart();
    await vi.waitFor(async () => {
      expect(await answer("/", ["GET", "n"])).toEqual([200, { result: null }]);
    }, WAIT);
  });

  test("late answers do not go to the wrong question", async () => {
    await raw.mset("a", "A", "b", "B");
    const thaw = freeze();
    const asked = PATHS.map((path) => answer(path, path === "/" ? ["GET", "a"] : [["GET", "a"]]));
    expect((await Promise.all(asked)).map(([status]) => status)).toEqual([503, 503, 503]);

    thaw();
    await vi.waitFor(async () => {
      expect(await answer("/", ["GET", "b"])).toEqual([200, { result: "B" }]);
    }, WAIT);
    expect(await answer("/multi-exec", [["GET", "b"]])).toEqual([200, [{ result: "B" }]]);
  });

  test("a door opens before its Redis does", async () => {
    const { port } = redis;
    await redis.kill();
    const early = await openDoor();
    expect((await answer("/", ["PING"], {}, early))[0]).toBe(503);

    redis = await redis.restart();
    expect(redis.port).toBe(port);
    await vi.waitFor(async () => expect((await answer("/", ["PING"], {}, early))[0]).toBe(200), WAIT);
  });
});

describe("life", () => {
  test("doors stand side by side, and one that is stopped lets go of its port and its Redis", async () => {
    const second = await openDoor();
    expect(second.port).not.toBe(door.port);
    expect(await answer("/", ["PING"], {}, second)).toEqual([200, { result: "PONG" }]);
    const clients = async () =>
      String(await raw.client("LIST"))
        .trim()
        .split("\n").length;
    const before = await clients();

    await Promise.all([second.stop(), second.stop()]);

    await expect(fetch(second.url)).rejects.toThrow();
    await vi.waitFor(async () => expect(await clients()).toBe(before - 1));
    expect(await answer("/", ["PING"])).toEqual([200, { result: "PONG" }]);
  });

  test("a port that is taken is an error", async () => {
    await expect(openDoor({ port: door.port })).rejects.toThrow(/EADDRINUSE/);
  });

  test("as a process it says where it listens, serves, and ends cleanly on SIGTERM", async () => {
    const main = startMain({ REDIS_REST_TOKEN: TOKEN, REDIS_URL: redis.url, REDIS_REST_PORT: "0" });
    const url = await vi.waitFor(() => {
      const found = /listening on (http:\S+)\n/.exec(main.out())?.[1];
      if (found === undefined) throw new Error(`it has said: ${main.out()}`);
      return found;
    }, WAIT);
    expect(await answer("/", ["PING"], {}, { url })).toEqual([200, { result: "PONG" }]);

    main.child.kill("SIGTERM");
    expect(await main.ended).toBe(0);
    expect(main.out().trim().split("\n")).toHaveLength(1);
  });

  test("as a process with wrong settings it names them all and fails", async () => {
    const main = startMain({ REDIS_REST_PORT: "-1" });

    expect(await main.ended).toBe(1);
    for (const name of ["REDIS_REST_PORT", "REDIS_REST_TOKEN", "REDIS_URL"])
      expect(main.out()).toContain(name);
    expect(main.out()).not.toContain("    at ");
  });
});

describe("the restricted user of the edge", () => {
  const HISTORY = ["wh:state:{al}", "wh:progress:{al}"];
  const READ = "return {redis.call('HGET', KEYS[1], 'warm'), redis.call('HGETALL', KEYS[2])}";
  const APPEND = `
    if tonumber(redis.call('GET', KEYS[2]) or '0') + 2 > tonumber(ARGV[1]) then return 0 end
    redis.call('INCRBY', KEYS[2], 2)
    return redis.call('XADD', KEYS[1], '*', 'events', ARGV[2])`;
  let edge: Door;

  beforeEach(async () => {
    for (const _twice of [1, 2]) {
      await raw.call("ACL", "SETUSER", "edge", ...edgeAclRules("s3cret", { search: redis.search }));
    }
    const url = new URL(redis.url);
    url.username = "edge";
    url.password = "s3cret";
    edge = await openDoor({ redisUrl: url.href });
    await raw.hset("wh:state:{al}", "warm", "1");
    await raw.hset("wh:progress:{al}", "m1", "[1,2]");
    await raw.set(deadStream, "poison");
  });

  test("applying the rules twice leaves one and the same user", async () => {
    // Redis lists the commands in an order of its own
    const rules = async () =>
      JSON.stringify(await raw.call("ACL", "GETUSER", "edge"))
        .split(/[" ]+/)
        .sort();
    const once = await rules();
    await raw.call("ACL", "SETUSER", "edge", ...edgeAclRules("s3cret", { search: redis.search }));
    expect(await rules()).toEqual(once);
    const users = (await raw.call("ACL", "LIST")) as string[];
    expect(users.filter((line) => line.startsWith("user edge "))).toHaveLength(1);
  });

  test("it reads views, plainly and by read-only script, whole and by digest", async () => {
    const upstash = client({ automaticDeserialization: false }, edge);
    const script = upstash.createScript(READ, { readonly: true });

    expect(await upstash.hget("wh:state:{al}", "warm")).toBe("1");
    expect(await script.exec(HISTORY, [])).toEqual(["1", ["m1", "[1,2]"]]);
    expect(await script.evalshaRo(HISTORY, [])).toEqual(["1", ["m1", "[1,2]"]]);
    expect(await upstash.ping()).toBe("PONG");
  });

  test("it searches, plainly and in a read-only script", async (context) => {
    if (!redis.search) context.skip("this Redis has no search module");
    await createIndex();
    const upstash = client({ automaticDeserialization: false }, edge);
    const found = [1, "wh:record:{al}:1"];

    expect(await upstash.exec(["FT.SEARCH", "wh:idx", "@user:{616c}", "NOCONTENT"])).toEqual(found);
    const source = "return redis.call('FT.SEARCH', KEYS[1], ARGV[1], 'NOCONTENT')";
    expect(await upstash.evalRo(source, ["wh:idx"], ["@user:{616c}"])).toEqual(found);
    for (const command of [
      ["FT.DROP", "wh:idx"],
      ["FT.DEL", "wh:idx", "wh:record:{al}:1"],
      ["DEL", "wh:idx"],
    ]) {
      expect(await answer("/", command, {}, edge), command[0]).toEqual(NOPERM);
    }
  });

  test("it appends to the stream by script, within the limit that the script knows", async () => {
    const upstash = client({ automaticDeserialization: false }, edge);
    const append = upstash.createScript(APPEND);

    const id = await append.exec([eventStream, backlogKey], ["3", '["é"]']);
    expect(await append.exec([eventStream, backlogKey], ["3", "[]"])).toBe(0);

    expect(await raw.xrange(eventStream, "-", "+")).toEqual([[id, ["events", '["é"]']]]);
    expect(await raw.get(backlogKey)).toBe("2");
  });

  test("it may do nothing else", async () => {
    await raw.xadd(eventStream, "1-1", "events", "[]");
    const read = (key: string) => ["EVAL_RO", "return redis.call('GET', KEYS[1])", 1, key];
    const commands = [
      ["HSET", "wh:x", "f", "v"],
      ["SET", "wh:x", "v"],
      ["DEL", "wh:state:{al}"],
      ["EXPIRE", "wh:state:{al}", 1],
      ["EVAL", "return redis.call('HSET', KEYS[1], 'f', 'v')", 1, "wh:x"],
      ["EVAL", "return redis.call('HGET', KEYS[1], 'warm')", 1, "wh:state:{al}"],
      ["XRANGE", eventStream, "-", "+"],
      ["XREAD", "STREAMS", eventStream, "0"],
      ["XTRIM", eventStream, "MAXLEN", 0],
      ["XDEL", eventStream, "1-1"],
      ["DEL", eventStream],
      ["SET", backlogKey, 0],
      ["GET", deadStream],
      ["XADD", deadStream, "*", "a", "b"],
      read(deadStream),
      ["GET", "ps:due:{1}"],
      read("other"),
      ["KEYS", "*"],
      ["SCAN", 0],
      ["RANDOMKEY"],
      ["DBSIZE"],
      ["INFO"],
      ["FLUSHALL"],
      ["FLUSHDB"],
      ["SCRIPT", "FLUSH"],
      ["PUBLISH", "c", "m"],
      ["DUMP", "wh:state:{al}"],
      ["COPY", "wh:state:{al}", "wh:x"],
    ];
    for (const command of commands)
      expect(await answer("/", command, {}, edge), command.join(" ")).toEqual(NOPERM);

    const hidden = "return redis.pcall('HSET', 'wh:x', 'f', 'v')";
    expect((await answer("/", ["EVAL", hidden, 0], {}, edge))[1]).toEqual({
      error: expect.stringMatching(REFUSED),
    });
    expect(
      (await answer("/", ["EVAL", "return redis.pcall('GET', ARGV[1])", 0, deadStream], {}, edge))[1],
    ).toEqual({
      error: expect.stringMatching(REFUSED),
    });
    const pipelined = await answer("/pipeline", [["PING"], ["DEL", "wh:state:{al}"]], {}, edge);
    expect(pipelined[1]).toEqual([{ result: "PONG" }, { error: expect.stringMatching(/^NOPERM/) }]);
    expect((await raw.keys("*")).sort()).toEqual([eventStream, deadStream, ...HISTORY].sort());
    expect(await raw.xlen(eventStream)).toBe(1);
  });

  test("a transaction it may not open does not run without one", async () => {
    const append = ["XADD", eventStream, "*", "events", "[]"];

    expect(await answer("/multi-exec", [append, append], {}, edge)).toEqual(NOPERM);
    expect(await raw.exists(eventStream)).toBe(0);
  });

  test("a wrong password is a 503, not a way in", async () => {
    const url = new URL(redis.url);
    url.username = "edge";
    url.password = "wrong";
    const told: string[] = [];
    const shut = await openDoor({ redisUrl: url.href, onError: (error) => told.push(String(error)) });

    expect((await answer("/", ["PING"], {}, shut))[0]).toBe(503);
    expect(told.join()).toContain("WRONGPASS");
  });
});

const BASE64 = { "upstash-encoding": "base64" };
const WAIT = { timeout: 10_000, interval: 20 };
const REFUSED = /NOPERM|can't (access|run)/;
const NOPERM = [400, { error: expect.stringMatching(REFUSED) }];

async function openDoor(options: Partial<DoorOptions> = {}): Promise<Door> {
  const opened = await startDoor({ redisUrl: redis.url, token: TOKEN, ...options });
  doors.push(opened);
  return opened;
}

function client(options: Partial<RedisConfigNodejs> = {}, at = door) {
  return new Upstash({ url: at.url, token: TOKEN, retry: false, enableTelemetry: false, ...options });
}

async function answer(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  at: { url: string } = door,
) {
  return await send(path, JSON.stringify(body), headers, at);
}

async function send(
  path: string,
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
  at: { url: string } = door,
): Promise<[status: number, body: unknown]> {
  const authorization = `Bearer ${TOKEN}`;
  const response = await fetch(at.url + path, {
    method: "POST",
    headers: { authorization, ...headers },
    body,
  });
  return [response.status, await response.json()];
}

/** Stops Redis from answering without closing its connections. */
function freeze(): () => void {
  const { pid } = redis;
  process.kill(pid, "SIGSTOP");
  const thaw = () => {
    if (redis.pid === pid) process.kill(pid, "SIGCONT");
  };
  onTestFinished(thaw);
  return thaw;
}

function countReconnections(): (atLeast: number) => Promise<void> {
  let count = 0;
  const onReconnecting = () => {
    count += 1;
  };
  raw.on("reconnecting", onReconnecting);
  onTestFinished(() => {
    raw.off("reconnecting", onReconnecting);
  });
  return (atLeast) => vi.waitFor(() => expect(count).toBeGreaterThanOrEqual(atLeast), WAIT);
}

/** One record of user `al` under either generation of the module: the first has to be told of each record. */
async function createIndex(): Promise<void> {
  await raw
    .call("FT.DROP", "wh:idx")
    .catch(() => raw.call("FT.DROPINDEX", "wh:idx"))
    .catch(() => {});
  await raw.call("FT.CREATE", "wh:idx", "ON", "HASH", "PREFIX", "1", "wh:record:", "SCHEMA", "user", "TAG");
  await raw.hset("wh:record:{al}:1", "user", "616c");
  await raw.call("FT.ADDHASH", "wh:idx", "wh:record:{al}:1", "1", "REPLACE").catch((error: Error) => {
    if (!error.message.includes("unknown command")) throw error;
  });
}

function startMain(env: Record<string, string>) {
  const child = spawn(process.execPath, ["ingest/redis-rest/main.ts"], {
    env: { PATH: process.env.PATH, ...env },
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
  }
  const ended = once(child, "close").then(([code]) => code as number | null);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return { child, ended, out: () => out };
}
