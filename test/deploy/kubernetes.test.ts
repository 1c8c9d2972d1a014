import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../db/environment.ts";
import { programIn } from "../support/deployed.ts";
import { ROOT } from "../support/image.ts";
import { FOLDERS, kustomization, type Manifest, manifests, workloads } from "../support/manifests.ts";

const every = FOLDERS.flatMap(manifests);
const running = FOLDERS.flatMap(workloads);
const servers = running.filter(({ kind }) => kind === "Deployment");

describe("the manifests", () => {
  test("are what the API of Kubernetes allows", async () => {
    expect(await typeFaults(every)).toBe("");
    const wrong = JSON.parse(JSON.stringify(every).replace("failureThreshold", "failuresAllowed"));
    expect(await typeFaults(wrong)).toMatch(/failuresAllowed.* does not exist in type 'Probe'/);
  }, 60_000);

  test.each(FOLDERS)("are all named by the kustomization of %s, in one namespace and version", (folder) => {
    const { beside, resources, namespace, images } = kustomization(folder);
    expect(resources.toSorted()).toEqual(beside.toSorted());
    expect({ namespace, images }).toEqual(
      expect.objectContaining({ namespace: "playhead", images: kustomization(".").images }),
    );
  });

  test("hold no secret", () => {
    expect(every.filter(({ kind }) => kind === "Secret")).toEqual([]);
    const plain = running.flatMap((its) => Object.keys(its.plain));
    expect(plain.filter((name) => /SECRET|TOKEN|PASSWORD|KEY|DATABASE_URL|^REDIS_URL/.test(name))).toEqual(
      [],
    );
  });

  test("take from one secret what the manual says to put there", () => {
    const manual = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
    const keys = running.flatMap(({ container }) => container.env.map((its) => its.valueFrom.secretKeyRef));
    expect(new Set(keys.map(({ name }) => name))).toEqual(new Set(["playhead"]));
    const said = Array.from(manual.matchAll(/--from-literal=(\w+)=/g), ([, key]) => key);
    expect(new Set(said)).toEqual(new Set(keys.map(({ key }) => key)));
  });

  test("speak of what there is: selectors, targets of autoscalers and names of services", () => {
    const labels = running.map(({ template }) => template.metadata.labels["app.kubernetes.io/name"]);
    const text = JSON.stringify(every);
    const selected = Array.from(
      text.matchAll(/"(?:matchLabels|selector)":\{"app\.kubernetes\.io\/name":"([^"]+)"/g),
      ([, name]) => name,
    );
    expect(selected.length).toBeGreaterThan(10);
    expect(selected.filter((name) => !labels.includes(name))).toEqual([]);
    const scaled = every.flatMap(({ kind, spec }) =>
      kind === "HorizontalPodAutoscaler"
        ? [(spec as { scaleTargetRef: { name: string } }).scaleTargetRef.name]
        : [],
    );
    expect(scaled.toSorted()).toEqual(servers.map(({ name }) => name).toSorted());
  });

  test("run ingest three times, never with more than one away by our will", () => {
    const ingest = manifests(".");
    const specOf = (wanted: string) => ingest.find(({ kind }) => kind === wanted)?.spec;
    expect(specOf("Deployment")).toMatchObject({ replicas: 3 });
    expect(specOf("HorizontalPodAutoscaler")).toMatchObject({ minReplicas: 3 });
    expect(specOf("PodDisruptionBudget")).toMatchObject({ maxUnavailable: 1 });
  });
});

describe.each(running)("$kind $name", ({ container, template, plain }) => {
  const program = programIn(container.command);

  test("is told what it needs, in variables that it reads", () => {
    const secret = container.env.map(({ name }) => [name, examples[name] ?? "0123456789abcdef"]);
    const env = { ...plain, ...Object.fromEntries(secret) };
    expect(Object.keys(program.reads.shape)).toEqual(expect.arrayContaining(Object.keys(env)));
    expect(() => readEnvironment(program.reads, env)).not.toThrow();
  });

  test("is nobody, can write nowhere, and has bounds", () => {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(template.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(container.resources).toMatchObject({
      requests: { cpu: expect.any(String), memory: expect.any(String) },
      limits: { memory: expect.any(String) },
    });
    expect(container.image).toBe("playhead");
  });
});

describe.each(servers)("$name", ({ name, container, template, plain }) => {
  const program = programIn(container.command);

  test("listens where it is looked for", () => {
    expect(container.ports).toEqual([{ name: "http", containerPort: program.port }]);
    const service = every.find((its) => its.kind === "Service" && its.metadata.name === name);
    expect(service?.spec).toMatchObject({ ports: [{ port: program.port, targetPort: "http" }] });
    const scraped = template.metadata.annotations["prometheus.io/port"];
    expect(scraped ?? String(program.port)).toBe(String(program.port));
  });

  test("is asked how it is, at its own port", () => {
    const { startupProbe, readinessProbe, livenessProbe } = container;
    for (const probe of [readinessProbe, livenessProbe, ...(startupProbe ? [startupProbe] : [])]) {
      expect((probe?.httpGet ?? probe?.tcpSocket)?.port).toBe("http");
    }
  });

  test("has more time to stop than it takes", () => {
    const before = container.lifecycle?.preStop.sleep.seconds ?? 0;
    const grace = template.spec.terminationGracePeriodSeconds;
    expect(grace * 1_000).toBeGreaterThan(before * 1_000 + (program.stopsWithin ?? Number.POSITIVE_INFINITY));
  });

  test("asks services that there are", () => {
    for (const { hostname, port } of Object.values(plain).flatMap((value) => URL.parse(value) ?? [])) {
      const its = servers.find((other) => other.name === hostname);
      expect([hostname, its && programIn(its.container.command).port]).toEqual([hostname, Number(port)]);
    }
  });
});

const examples: Record<string, string> = {
  DATABASE_URL: "postgres://db/playhead",
  REDIS_URL: "redis://redis:6379",
};

/** What the compiler says of the manifests as objects of the types that Kubernetes publishes. */
async function typeFaults(all: readonly Manifest[]): Promise<string> {
  // Below node_modules, where the types are found and git does not look.
  const folder = mkdtempSync(join(ROOT, "node_modules", ".manifests-"));
  try {
    const typed = all.map(({ apiVersion, kind, ...rest }, n) => {
      const path = apiVersion.includes("/") ? apiVersion.replace(".k8s.io", "") : `core/${apiVersion}`;
      const type = `import("kubernetes-types/${path}").${kind}`;
      return `export const m${n}: ${type} = ${JSON.stringify({ apiVersion, kind, ...rest }, null, 1)};`;
    });
    const file = join(folder, "manifests.ts");
    writeFileSync(file, typed.join("\n"));
    const settings = [
      "--ignoreConfig",
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--module",
      "esnext",
      "--moduleResolution",
      "bundler",
    ];
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    await promisify(execFile)(process.execPath, [compiler, ...settings, "--types", "node", file]);
    return "";
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
