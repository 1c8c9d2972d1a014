/** What an expression of PromQL names, as far as ours go: metrics with their matchers, and labels to group by. */
export type Named = { metric: string; labels: { name: string; op: string; value: string }[] };

export function namesIn(expr: string): { metrics: Named[]; by: string[] } {
  const by = Array.from(expr.matchAll(/\b(?:by|without|on)\s*\(([^)]*)\)/g), ([, labels = ""]) =>
    labels.split(","),
  ).flat();
  const bare = expr.replace(/\b(?:by|without|on)\s*\([^)]*\)/g, " ").replace(/\[[^\]]*\]/g, " ");
  const found = bare.matchAll(/([a-zA-Z_:][\w:]*)\s*(\(|\{([^}]*)\})?/g);
  const metrics: Named[] = [];
  for (const [, name = "", next, matchers = ""] of found) {
    if (next === "(") continue; // a function
    metrics.push({ metric: name, labels: matchersIn(matchers) });
  }
  return { metrics, by: by.map((label) => label.trim()).filter((label) => label !== "") };
}

function matchersIn(text: string): Named["labels"] {
  return Array.from(
    text.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g),
    ([, name = "", op = "", value = ""]) => ({
      ...{ name, op, value },
    }),
  );
}

/** The samples of a scrape: each with its name and its labels. */
export function samplesIn(text: string): Sample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = Array.from(
        labels.matchAll(/(\w+)="([^"]*)"/g),
        ([, key = "", its = ""]) => [key, its] as const,
      );
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

export type Sample = { name: string; labels: Record<string, string>; value: number };
