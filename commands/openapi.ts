import { readFileSync, writeFileSync } from "node:fs";
import { openapiText } from "../edge/openapi/document.ts";
import { eventsText } from "../edge/openapi/events.ts";

/** Writes what edge/public publishes of the contract; with --check it only says whether the committed files still fit. */
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const texts = { "openapi.json": openapiText(version), "events.json": eventsText() };

for (const [name, text] of Object.entries(texts)) {
  const file = new URL(`../edge/public/${name}`, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    console.error(`edge/public/${name} is not what the contract says: run node commands/openapi.ts`);
    process.exitCode = 1;
  }
}
