import { createApp, type App } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { createLogger } from './log.ts';

/** Settings of the process, with those of a `.env` file where one lies beside it. */
function readSettings() {
  try {
    process.loadEnvFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return readConfig(process.env);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const config = readSettings();
  const log = createLogger(config.LOG_LEVEL, { pretty: process.stdout.isTTY, name: config.NODE_ID });
  const onFatal = (error: Error) => {
    log.fatal({ err: error }, 'the database cannot be trusted to keep what it is given; ending');
    process.exit(1);
  };
  const app = await createApp(config, { log, onFatal });
  const { url } = await app.listen();
  log.info({ url }, 'listening');
  stopOnSignal(app);
}

function stopOnSignal(app: App): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void app.close().then(() => process.exit(0), fail));
  }
}

await start().catch((error: unknown) => fail(error instanceof ConfigError ? error.message : error));
