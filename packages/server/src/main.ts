import { missingForAssistant } from './assistants/registry.ts';
import { announce, announcementOf } from './announce.ts';
import { createApp, type App } from './app.ts';
import { readConfig, type Config } from './config.ts';
import { loadEnvFile } from './env-file.ts';
import { explainFailure } from './failure.ts';
import { createLogger, readableLines, type Logger } from './log.ts';
import { startTracing, type Tracing } from './tracing.ts';

/** How the shell reports a process that a signal ended. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

async function start(): Promise<void> {
  loadEnvFile();
  const config = readConfig(process.env, missingForAssistant(process.env));
  const isTerminal = process.stdout.isTTY;
  const log = createLogger({
    level: config.LOG_LEVEL,
    node: config.NODE_ID,
    ...(isTerminal && { to: await readableLines() }),
  });
  endOnUnforeseen(log);
  const tracing = await startTracing(process.env, config.NODE_ID, log);
  const app = await createApp(config, { log, onFatal: (error) => endUntrusted(log, error) });
  const { url } = await app.listen();
  stopOnSignal(log, () => stop(app, tracing));
  const write = isTerminal ? (text: string) => void process.stdout.write(text) : null;
  announce(announcementOf(config, url, await hasTestUser(config, app)), log, write);
}

async function hasTestUser({ ENVIRONMENT }: Config, { context }: App): Promise<boolean> {
  return ENVIRONMENT === 'development' && (await context.store.accounts.findUserByName('testuser')) !== null;
}

/** What was acknowledged might not be on the disk (G1): nothing more may be acknowledged. */
function endUntrusted(log: Logger, error: Error): never {
  log.fatal({ err: error }, 'the database cannot be trusted to keep what it is given; ending');
  process.exit(1);
}

/** Every input has a place that catches what goes wrong with it (G11); what gets here is a fault of the program. */
function endOnUnforeseen(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'something failed that nothing was prepared for; ending');
    process.exit(1);
  });
}

/** The first signal lets answers finish and tells clients; the second does not wait for that. */
function stopOnSignal(log: Logger, stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(SIGNAL_EXIT[signal]);
      stopping = true;
      log.info('stopping; the same signal again ends it at once');
      stop().then(
        () => {
          log.info('stopped');
          process.exit(0);
        },
        (error: unknown) => fail('stop', error),
      );
    });
  }
}

async function stop(app: App, tracing: Tracing | null): Promise<void> {
  await app.close();
  await tracing?.close();
}

/** One sentence where the failure is a known one; else also where in the program it happened. */
function fail(what: 'start' | 'stop', error: unknown): never {
  const sentence = explainFailure(error, process.env['DATA_DIR'] ?? './data');
  const unknown = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${sentence ?? `Tertulia could not ${what}, and this is a fault of it: ${unknown}`}\n`);
  process.exit(1);
}

await start().catch((error: unknown) => fail('start', error));
