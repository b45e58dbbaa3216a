import { missingForAssistant } from './assistants/registry.ts';
import { readConfig } from './config.ts';
import { loadEnvFile } from './env-file.ts';
import { fail } from './process-end.ts';

/** A process that only starts others and stands between them does without what a server is made of. */
async function start(): Promise<void> {
  loadEnvFile();
  const config = readConfig(process.env, missingForAssistant(process.env));
  if (config.WORKERS > 1) await (await import('./workers/primary.ts')).startWorkers(config);
  else await (await import('./serve.ts')).serve(config, process.env);
}

await start().catch((error: unknown) => fail('start', error));
