import { hasTestUser } from '../announce.ts';
import { createApp, type App } from '../app.ts';
import { missingForAssistant } from '../assistants/registry.ts';
import { readConfig, type Config } from '../config.ts';
import { WorkerBus } from '../delivery/worker-bus.ts';
import { logToOutput } from '../log.ts';
import { endOnUnforeseen, endUntrusted, sentenceOf } from '../process-end.ts';
import { startTracing } from '../tracing.ts';
import { limitersOfAllWorkers } from './limiters.ts';
import { PrimaryLink } from './primary-link.ts';
import { siblingsOf } from './siblings.ts';
import { workerName } from './worker-name.ts';

/** Serves until it is told to stop: by the primary, or by a signal to all processes of a terminal or of a service. */
async function work(link: PrimaryLink): Promise<void> {
  let stop = (): Promise<void> => Promise.resolve();
  let isStopping = false;
  const stopOnce = () => {
    if (isStopping) return;
    isStopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => end(link, 'stop', error),
    );
  };
  link.on('stop', stopOnce);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stopOnce);
  stop = await serve(link);
}

/** Answers what stops it. */
async function serve(link: PrimaryLink): Promise<() => Promise<void>> {
  const beginning = await link.beginning;
  const settings = readConfig(process.env, missingForAssistant(process.env));
  const name = workerName(settings.NODE_ID, beginning.number);
  const config: Config = { ...settings, NODE_ID: name, PORT: beginning.port };
  const log = await logToOutput({ level: config.LOG_LEVEL, node: name }, true);
  endOnUnforeseen(log);
  const tracing = await startTracing(process.env, name, log);
  const app: App = await createApp(config, {
    log,
    onFatal: (error) => endUntrusted(log, error),
    sharesFolder: true,
    ...(!config.REDIS_URL && linkByPrimary(config, link)), // Redis also links them with those of other machines
    siblings: siblingsOf(settings.NODE_ID, beginning, link),
    gatherMetrics: () => link.ask('metrics', {}),
  });
  const { registry } = app.context.metrics;
  link.on('tellMetrics', (id) => {
    void registry.getMetricsAsJSON().then((metrics) => link.send({ kind: 'own_metrics', id, metrics }));
  });
  const { url } = await app.listen();
  link.send({ kind: 'ready', url, has_test_user: await hasTestUser(config, app.context.store.accounts) });
  return async () => {
    await app.close();
    await tracing?.close();
  };
}

function linkByPrimary({ MONGODB_URL }: Config, link: PrimaryLink) {
  return { bus: new WorkerBus(link, MONGODB_URL === undefined), limiters: limitersOfAllWorkers(link) };
}

/** Tells the primary why, which tells whoever started it. */
function end(link: PrimaryLink, what: 'start' | 'stop', error: unknown): void {
  link.sendLast({ kind: 'failed', sentence: sentenceOf(what, error) }, () => process.exit(1));
}

const link = new PrimaryLink();
await work(link).catch((error: unknown) => end(link, 'start', error));
