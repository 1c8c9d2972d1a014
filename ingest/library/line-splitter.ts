const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A line and its number, from 1; null instead of its bytes when it is too long. */
export type Line = { line: number; bytes: Uint8Array | null };

/**
 * Cuts a stream of bytes into lines, wherever the stream itself is cut. CRLF ends a line as LF does; blank lines are
 * counted and left out. Of a line that is too long nothing is kept but its number.
 */
export function lineSplitter(maxBytes: number): LineSplitter {
  let line = 1;
  /** Of the line that is not complete yet; null once it is too long. */
  let pieces: Uint8Array[] | null = [];
  let size = 0;

  function take(piece: Uint8Array): void {
    size += piece.length;
    // One byte more than a line has may still be the CR of its end.
    if (size > maxBytes + 1) pieces = null;
    else if (piece.length > 0) pieces?.push(piece);
  }

  function* complete(): Generator<Line> {
    const bytes = pieces && withoutReturn(joined(pieces));
    const fits = bytes !== null && bytes.length <= maxBytes;
    if (!fits) yield { line, bytes: null };
    else if (!bytes.every(isBlank)) yield { line, bytes };
    line++;
    pieces = [];
    size = 0;
  }

  return {
    *push(chunk) {
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(NEWLINE, from);
        if (end === -1) break;
        take(chunk.subarray(from, end));
        yield* complete();
        from = end + 1;
      }
      take(chunk.subarray(from));
    },
    end: complete,
  };
}

export type LineSplitter = {
  /** The lines that end in this chunk. */
  push(chunk: Uint8Array): Iterable<Line>;
  /** What comes after the last line end. */
  end(): Iterable<Line>;
};

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = pieces;
  return only && more.length === 0 ? only : Buffer.concat(pieces);
}

function withoutReturn(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}

/** Space, tab or CR, as JSON has them between values. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN;
}
