import { expect, test } from "vitest";
import { playheadIn } from "./playhead.ts";

const playhead = playheadIn();
const PASSWORDS = { REDIS_PASSWORD: "of-default-0123456789", EDGE_REDIS_PASSWORD: "of-the-edge-0123456789" };

async function users(args: string[], env: Record<string, string> = PASSWORDS) {
  const { said, code } = playhead.command("redis-users", args, env);
  return { code: await code, ...said };
}

test("prints both users, each with the hash of its own password", async () => {
  const { code, out, err } = await users([]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const [all = "", edge = "", ...more] = out.split("\n");
  expect(more).toEqual([""]);
  expect(all).toMatch(/^user default on #[0-9a-f]{64} ~\* &\* \+@all$/);
  expect(edge).toMatch(/^user edge on #[0-9a-f]{64} %R~wh:\* .*\(~wh:idx \+ft\.search\)$/);
  expect(edge).not.toMatch(/\+@|~\*|allkeys|allcommands|reset/);
  expect(hashIn(all)).not.toBe(hashIn(edge));
  for (const password of Object.values(PASSWORDS)) expect(out).not.toContain(password);
});

test("without search names no command that a Redis without the module would not know", async () => {
  expect((await users(["--no-search"])).out).not.toContain("ft.");
});

test.each([
  [
    [],
    { ...PASSWORDS, REDIS_PASSWORD: "short", EDGE_REDIS_PASSWORD: "" },
    /REDIS_PASSWORD: 16 .*\n.*EDGE_REDIS_PASSWORD: /,
  ],
  [[], { ...PASSWORDS, REDIS_PASSWORD: "with a space in its middle" }, /REDIS_PASSWORD: 16 /],
  [["a", "b"], PASSWORDS, /^usage: /],
  [["--with-search"], PASSWORDS, /^usage: /],
])("%j with %j is refused in words", async (args, env, words) => {
  const { code, out, err } = await users(args, env);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(words);
  expect(err).not.toContain("0123456789");
});

function hashIn(line: string): string | undefined {
  return /#([0-9a-f]{64})/.exec(line)?.[1];
}
