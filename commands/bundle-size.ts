import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Measures the Worker as Cloudflare would get it, gzipped. A small one starts soon. */
const LIMIT_BYTES = 100_000;

const out = mkdtempSync(join(tmpdir(), "playhead-bundle-"));
try {
  const wrangler = join(import.meta.dirname, "../node_modules/wrangler/bin/wrangler.js");
  const args = [wrangler, "deploy", "--env", "production", "--dry-run", "--minify", "--outdir", out];
  execFileSync(process.execPath, args, {
    cwd: join(import.meta.dirname, ".."),
    env: offline(),
    stdio: "pipe",
  });

  const scripts = readdirSync(out).filter((name) => /\.m?js$/.test(name));
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(out, name))).length, 0);
  console.log(`edge bundle: ${(bytes / 1000).toFixed(1)} KB gzipped, limit ${LIMIT_BYTES / 1000} KB`);
  if (bytes === 0 || bytes >= LIMIT_BYTES) process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}

function offline(): NodeJS.ProcessEnv {
  return { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
}
