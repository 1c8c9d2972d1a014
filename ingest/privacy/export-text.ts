/** A member of a document: a value, or a list that comes page by page. */
export type Part = [name: string, value: unknown | AsyncIterable<readonly unknown[]>];

/**
 * One JSON object, piece by piece: of a list no more than a page is held. It ends with its last brace only when every
 * part was there.
 */
export async function* exportText(parts: Iterable<Part>): AsyncGenerator<Uint8Array> {
  let separator = "{";
  for (const [name, value] of parts) {
    const head = `${separator}\n${JSON.stringify(name)}: `;
    separator = ",";
    if (isPaged(value)) yield* list(head, value);
    else yield encoder.encode(`${head}${JSON.stringify(value)}`);
  }
  yield encoder.encode("\n}\n");
}

async function* list(head: string, pages: AsyncIterable<readonly unknown[]>): AsyncGenerator<Uint8Array> {
  let separator = `${head}[`;
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield encoder.encode(`${separator}\n${page.map((item) => JSON.stringify(item)).join(",\n")}`);
    separator = ",";
  }
  yield encoder.encode(separator === "," ? "\n]" : `${head}[]`);
}

function isPaged(value: unknown): value is AsyncIterable<readonly unknown[]> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

const encoder = new TextEncoder();
