import { bringUp } from "./local/bring-up.ts";
import { run } from "./local/run.ts";
import { runCrew } from "./local/run-crew.ts";
import { localSecrets } from "./local/secrets.ts";
import { localSettings } from "./local/settings.ts";
import { welcome } from "./local/welcome.ts";

/** `npm start`: everything on this machine. Started again, it finds its data. */
await run(async () => {
  const { env } = process;
  const settings = localSettings(env);
  const secrets = localSecrets(settings.dataDir);
  return await runCrew(async (crew) => {
    const places = await bringUp({ settings, secrets, env, crew, say: console.log });
    console.log(await welcome(places, env));
  });
});
