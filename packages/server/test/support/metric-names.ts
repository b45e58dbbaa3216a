import { createMetrics, watchBus, watchState } from '../../src/metrics.ts';

/** The names of all that a server measures, those of a link to other nodes among them. */
export async function metricNames(): Promise<Set<string>> {
  const metrics = createMetrics();
  watchState(metrics, {
    tasks: () => ({ running: 0, waiting: 0 }),
    queues: () => ({}),
    deliverers: () => 0,
    transports: () => 0,
    isReady: () => Promise.resolve(true),
  });
  watchBus(metrics, { isUp: true, counts: {} });
  return new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name));
}
