import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import * as z from "zod";
import { ROOT } from "./image.ts";

const DEPLOY = join(ROOT, "ingest/deploy");

/** The folders that `kubectl apply -k` takes. */
export const FOLDERS = [".", "migrate", "edge"];

/** A folder's kustomization, and the files beside it that it should name. */
export function kustomization(folder: string) {
  const beside = readdirSync(join(DEPLOY, folder)).filter((name) => name.endsWith(".yaml"));
  const text = readFileSync(join(DEPLOY, folder, "kustomization.yaml"), "utf8");
  return {
    ...Kustomization.parse(parse(text)),
    beside: beside.filter((name) => name !== "kustomization.yaml"),
  };
}

/** Every manifest of a folder, as it stands there. */
export function manifests(folder: string): Manifest[] {
  return kustomization(folder).resources.flatMap((name) =>
    parseAllDocuments(readFileSync(join(DEPLOY, folder, name), "utf8")).map((document) => {
      if (document.errors.length > 0) throw new Error(`${name}: ${document.errors.join("\n")}`);
      return Manifest.parse(document.toJS());
    }),
  );
}

/** What runs in a folder: each with its one container, and the variables it is given out of the ConfigMaps. */
export function workloads(folder: string): Workload[] {
  const { configMapGenerator } = kustomization(folder);
  return manifests(folder).flatMap((manifest) => {
    const its = Templated.safeParse(manifest);
    if (!its.success) return [];
    const { template } = its.data.spec;
    const [container] = template.spec.containers;
    if (container === undefined) throw new Error(`${manifest.metadata.name} has no container`);
    const maps = container.envFrom.map(({ configMapRef }) => configMapRef.name);
    const literals = configMapGenerator
      .filter(({ name }) => maps.includes(name))
      .flatMap((map) => map.literals.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
    return [
      {
        name: manifest.metadata.name,
        kind: manifest.kind,
        template,
        container,
        plain: Object.fromEntries(literals),
      },
    ];
  });
}

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
const Kustomization = z.strictObject({
  apiVersion: z.literal("kustomize.config.k8s.io/v1beta1"),
  kind: z.literal("Kustomization"),
  namespace: z.string(),
  labels: z.array(z.strictObject({ pairs: z.record(z.string(), z.string()) })),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })),
  configMapGenerator: z
    .array(z.strictObject({ name: z.string(), literals: z.array(z.string().regex(/^[A-Z_]+=/)) }))
    .default([]),
  resources: z.array(z.string()),
});

const port = z.union([z.string(), z.number()]);
const Probe = z.object({
  httpGet: z.object({ path: z.string(), port }).optional(),
  tcpSocket: z.object({ port }).optional(),
});
const Container = z.looseObject({
  image: z.string(),
  command: z.array(z.string()),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  envFrom: z.array(z.strictObject({ configMapRef: z.object({ name: z.string() }) })).default([]),
  env: z
    .array(
      z.strictObject({
        name: z.string(),
        valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }),
      }),
    )
    .default([]),
  startupProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  livenessProbe: Probe.optional(),
  lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) }).optional(),
});
const Templated = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()).default({}),
      }),
      spec: z.looseObject({
        containers: z.array(Container).length(1),
        terminationGracePeriodSeconds: z.number().default(30),
      }),
    }),
  }),
});

export type Manifest = z.infer<typeof Manifest>;
export type Workload = {
  name: string;
  kind: string;
  template: z.infer<typeof Templated>["spec"]["template"];
  container: z.infer<typeof Container>;
  plain: Record<string, string>;
};
