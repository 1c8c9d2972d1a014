/** Arrays as Postgres tells them in text: `{a,"b \"c\"",NULL}`, of one dimension. */
export function arrayOf<Item>(literal: string, parse: (text: string) => Item): (Item | null)[] {
  const items: (Item | null)[] = [];
  for (const [, quoted, bare = ""] of literal.slice(1, -1).matchAll(ITEMS)) {
    if (quoted !== undefined) items.push(parse(quoted.replace(/\\(.)/gs, "$1")));
    else items.push(bare === "NULL" ? null : parse(bare));
  }
  return items;
}

const ITEMS = /"((?:[^"\\]|\\.)*)"|([^,]+)/gs;

/** The arrays that are read, by the number of their type. */
export const ARRAY_TYPES = {
  bool: arrayType(1000, (text) => text === "t"),
  int2: arrayType(1005, Number),
  int4: arrayType(1007, Number),
  int8: arrayType(1016, Number),
  float8: arrayType(1022, Number),
  text: arrayType(1009, String),
  uuid: arrayType(2951, String),
};

function arrayType<Item>(number: number, parse: (text: string) => Item) {
  return {
    to: number,
    from: [number],
    parse: (literal: string) => arrayOf(literal, parse),
    // Parameters are literals already: see batch.ts.
    serialize: String,
  };
}
