import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { freePort } from "../../db/local/port.ts";
import { DOOR_TOKEN } from "../support/door.ts";
import { namesIn, type Sample, samplesIn } from "../support/promql.ts";
import { programOf, type Server } from "../support/server.ts";
import { createWorld, SECRET, type World } from "../support/world.ts";

/** The dashboard and the alerts name what is really there: after a story, in scrapes of a real ingest and a real edge. */

const fileOf = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const dashboard = JSON.parse(fileOf("ingest/observe/grafana-dashboard.json")) as Dashboard;
const alerts = parse(fileOf("ingest/observe/alerts.yaml")) as Alerts;
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const rules = alerts.groups.flatMap(({ rules }) => rules);

let world: World;
let edge: Server;
let dir: string;
let samples: Sample[];
beforeAll(async () => {
  world = await createWorld();
  dir = mkdtempSync(join(tmpdir(), "playhead-dashboard-"));
  const [port, metricsPort] = [await freePort(), await freePort()];
  edge = await programOf({
    ...{ name: "the edge", file: "edge/node.ts", port, dir },
    env: {
      ...{ PATH: process.env.PATH, EDGE_PORT: String(port), EDGE_METRICS_PORT: String(metricsPort) },
      ...{ UPSTASH_REDIS_REST_URL: world.door.url, UPSTASH_REDIS_REST_TOKEN: DOOR_TOKEN },
      ...{ INGEST_URL: world.ingestUrl, AUTH_SECRET: SECRET },
    },
  });
  await world.send("alice", { content_id: "film", playback_time: 60, duration: 90 }, { at: edge.url });
  await world.drained();
  for (let n = 0; n < 2; n++) await world.ask("/users/alice/watchhistory", { at: edge.url });
  const body = JSON.stringify({ user_id: "alice", content_id: "film", device_id: "tv" });
  const headers = { "content-type": "application/json" };
  await world.ask("/api/v1/sessions", { method: "POST", headers, body, at: edge.url });
  // The metrics of an edge have a port of their own: nobody reaches them through the edge.
  expect((await world.ask("/metrics", { at: edge.url })).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${metricsPort}/anything`)).status).toBe(404);

  const scrapes = [`${world.ingestUrl}/metrics`, `http://127.0.0.1:${metricsPort}/metrics`];
  const texts = await Promise.all(scrapes.map(async (url) => await (await fetch(url)).text()));
  samples = texts.flatMap(samplesIn);
});
afterAll(async () => {
  await edge.stop();
  await world.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What an expression names and no scrape has. Labels that Prometheus adds are there. */
function missingIn(expr: string): string[] {
  const { metrics, by } = namesIn(expr.replaceAll("$__rate_interval", "5m"));
  const missing: string[] = [];
  if (metrics.length === 0) missing.push(`no metric in ${expr}`);
  const labels = new Set(["instance", "job"]);
  for (const { metric, labels: matchers } of metrics) {
    if (metric === "up") continue;
    const series = samples.filter(({ name }) => name === metric);
    if (series.length === 0) missing.push(metric);
    for (const sample of series) for (const label of Object.keys(sample.labels)) labels.add(label);
    for (const { name, op, value } of matchers) {
      const known = series.some((its) => (op === "=" ? its.labels[name] === value : name in its.labels));
      if (!known) missing.push(`${metric}{${name}${op}"${value}"}`);
    }
  }
  return [...missing, ...by.filter((label) => !labels.has(label)).map((label) => `by (${label}) of ${expr}`)];
}

describe("the dashboard", () => {
  test("is what Grafana imports", () => {
    expect(dashboard).toMatchObject({
      title: "Playhead",
      uid: "playhead",
      schemaVersion: expect.any(Number),
    });
    expect(dashboard.templating.list).toMatchObject([
      { name: "datasource", type: "datasource", query: "prometheus" },
    ]);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(panels.length).toBeGreaterThan(15);
    for (const { title, description, gridPos, datasource, targets } of panels) {
      expect([title, description]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(datasource).toEqual({ type: "prometheus", uid: expect.stringMatching(/^\$\{datasource\}$/) });
      const refs = targets.map(({ refId }) => refId);
      expect(refs.length).toBeGreaterThan(0);
      expect(new Set(refs).size).toBe(refs.length);
    }
  });

  test("names only metrics and labels that are there", () => {
    const targets = panels.flatMap((panel) => panel.targets);
    expect(targets.flatMap(({ expr }) => missingIn(expr))).toEqual([]);
    for (const { expr, legendFormat } of targets) {
      const shown = Array.from(legendFormat.matchAll(/\{\{(\w+)\}\}/g), ([, label = ""]) => label);
      expect([expr, namesIn(expr).by]).toEqual([expr, expect.arrayContaining(shown)]);
    }
  });

  test("shows everything that is counted", () => {
    const shown = new Set(
      panels.flatMap(({ targets }) =>
        targets.flatMap(({ expr }) => namesIn(expr).metrics.map(({ metric }) => metric)),
      ),
    );
    const base = (name: string) => name.replace(/_(bucket|count|sum)$/, "");
    const known = new Set([...shown].map(base));
    const hidden = [...new Set(samples.map(({ name }) => base(name)))].filter((name) => !known.has(name));
    expect(hidden).toEqual(["playhead_session_resume_position_seconds"]);
  });
});

describe("the alerts", () => {
  test("are rules as Prometheus loads them, each with words and a chapter of the manual", () => {
    const chapters = Array.from(fileOf("docs/operations.md").matchAll(/^#+ (.+)$/gm), ([, title = ""]) =>
      anchorOf(title),
    );
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const rule of rules) {
      expect(
        Object.keys(rule).filter((key) => !["alert", "expr", "for", "labels", "annotations"].includes(key)),
      ).toEqual([]);
      expect(rule.alert).toMatch(/^Playhead[A-Z]\w+$/);
      expect(rule.for ?? "1m").toMatch(/^\d+[smh]$/);
      expect(["page", "ticket"]).toContain(rule.labels.severity);
      const { summary, description, runbook_url } = rule.annotations;
      for (const words of [summary, description]) expect(words).toMatch(/\w+ \w+/);
      const [file, chapter] = runbook_url.split("#");
      expect([rule.alert, file, chapters]).toEqual([
        rule.alert,
        "docs/operations.md",
        expect.arrayContaining([chapter]),
      ]);
    }
  });

  test("name only metrics and labels that are there", () => {
    expect(rules.flatMap(({ expr }) => missingIn(expr))).toEqual([]);
    for (const { expr, annotations } of rules) {
      const told = Array.from(
        Object.values(annotations)
          .join()
          .matchAll(/\$labels\.(\w+)/g),
        ([, label = ""]) => label,
      );
      const kept = /\bup\{/.test(expr) ? ["instance", "job"] : namesIn(expr).by;
      expect([expr, kept]).toEqual([expr, expect.arrayContaining(told)]);
    }
  });

  test("watch over lag, backlog, quarantine, errors and reads beyond 50 ms", () => {
    const watched = rules.map(({ expr }) => expr).join("\n");
    for (const what of [
      "backlog_age_seconds",
      "backlog_events",
      "quarantine_entries",
      'status="5xx"',
      "up{",
    ]) {
      expect(watched).toContain(what);
    }
    expect(watched).toMatch(/0\.99, .*kind="read".*> 0\.05$/m);
  });
});

test("the parser sees what is named", () => {
  expect(namesIn('sum by (le, step) (rate(a_bucket{step!="x", kind="read"}[5m])) / max(b) > 0.5')).toEqual({
    metrics: [
      {
        metric: "a_bucket",
        labels: [
          { name: "step", op: "!=", value: "x" },
          { name: "kind", op: "=", value: "read" },
        ],
      },
      { metric: "b", labels: [] },
    ],
    by: ["le", "step"],
  });
  expect(missingIn("max(playhead_nothing)")).toEqual(["playhead_nothing"]);
  expect(missingIn('playhead_scrape_failed{of="nobody"}')).toEqual(['playhead_scrape_failed{of="nobody"}']);
  expect(missingIn("max by (color) (playhead_scrape_failed)")).toEqual([
    "by (color) of max by (color) (playhead_scrape_failed)",
  ]);
});

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

type Panel = {
  id: number;
  type: string;
  title: string;
  description: string;
  gridPos: { x: number; w: number };
  datasource: unknown;
  targets: { refId: string; expr: string; legendFormat: string }[];
};
type Dashboard = { panels: Panel[]; templating: { list: unknown[] } };
type Rule = {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
};
type Alerts = { groups: { name: string; rules: Rule[] }[] };
