/** What a stream of lines says, line by line, as it comes. */
export async function* linesIn(answer: Response): AsyncGenerator<LineSaid> {
  let rest = "";
  for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
  if (rest !== "") throw new Error(`a line that does not end: ${rest}`);
}

/** A body that is made while it is sent: whatever the source gives is sent at once. */
export function bodyOf(source: AsyncIterable<string> | Iterable<string>): ReadableStream<Uint8Array> {
  return ReadableStream.from(source).pipeThrough(new TextEncoderStream());
}

export type LineSaid = {
  line: number;
  content_id?: string | null;
  status: string;
  errors?: { path: string; message: string }[];
  code?: string;
};
