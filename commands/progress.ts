/**
 * A progress bar on a terminal, a line every tenth of the way elsewhere. On stderr, so that results can be piped.
 *
 * @param total how many steps make the whole.
 */
export function progressBar(what: string, total: number, out: NodeJS.WriteStream = process.stderr): Progress {
  const width = 30;
  let done = 0;
  let shown = -1;

  function show(): void {
    const share = total === 0 ? 1 : Math.min(done / total, 1);
    const step = Math.floor(share * (out.isTTY ? width * 4 : 10));
    if (step === shown) return;
    shown = step;
    const count = `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    if (!out.isTTY) {
      out.write(`${what}: ${count}\n`);
      return;
    }
    const filled = Math.round(share * width);
    out.write(`\r${what} [${"#".repeat(filled)}${".".repeat(width - filled)}] ${count}`);
  }

  show();
  return {
    advance(steps = 1) {
      done += steps;
      show();
    },
    end() {
      if (out.isTTY) out.write("\n");
    },
  };
}

export type Progress = { advance(steps?: number): void; end(): void };
