import { readFileSync, writeFileSync } from "node:fs";
import { openapiText } from "../edge/openapi/document.ts";

/** Writes edge/public/openapi.json; with --check it only says whether the committed file still fits. */
const file = new URL("../edge/public/openapi.json", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const text = openapiText(version);

if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (readFileSync(file, "utf8") !== text) {
  console.error("edge/public/openapi.json is not what the contract says: run node commands/openapi.ts");
  process.exitCode = 1;
}
