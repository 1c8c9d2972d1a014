import fc from "fast-check";
import { expect, test } from "vitest";
import { type Line, lineSplitter } from "../../ingest/library/line-splitter.ts";

const MAX = 8;

function split(chunks: readonly Uint8Array[]): [number, string | null][] {
  const splitter = lineSplitter(MAX);
  const lines: Line[] = [];
  for (const chunk of chunks) lines.push(...splitter.push(chunk));
  lines.push(...splitter.end());
  return lines.map(({ line, bytes }) => [line, bytes && Buffer.from(bytes).toString("latin1")]);
}

/** The same, of the whole text at once. */
function expected(text: string): [number, string | null][] {
  return text.split("\n").flatMap((raw, index): [number, string | null][] => {
    const line = raw.replace(/\r$/, "");
    if (line.length > MAX) return [[index + 1, null]];
    return /^[ \t\r]*$/.test(line) ? [] : [[index + 1, line]];
  });
}

test("lines are the same wherever the stream is cut", () => {
  const anyText = fc
    .array(fc.constantFrom("\n", "\r", " ", "\t", "a", "é", "12345678", "123456789"), { maxLength: 30 })
    .map((parts) => parts.join(""));
  const cut = (text: string, cuts: readonly number[]) => {
    const bytes = Buffer.from(text, "latin1");
    const at = [0, ...cuts.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
    return at.slice(1).map((end, index) => new Uint8Array(bytes.subarray(at[index], end)));
  };
  fc.assert(
    fc.property(anyText, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
      expect(split(cut(text, cuts))).toEqual(expected(text));
    }),
    { numRuns: 2_000 },
  );
});
