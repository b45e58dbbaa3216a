import { createMetrics, watchBus, watchState } from '../../src/metrics.ts';

/** The names of all that a server measures, those of a link to other nodes and of several workers among them. */
export async function metricNames(): Promise<Set<string>> {
  const metrics = createMetrics(async () => [await metrics.registry.getMetricsAsJSON()]);
  watchState(metrics, {
    tasks: () => ({ running: 0, waiting: 0 }),
    queues: () => ({}),
    deliverers: () => 0,
    transports: () => 0,
    isReady: () => Promise.resolve(true),
  });
  watchBus(metrics, { isUp: true, counts: {} });
  const own = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
  const page = await (await metrics.shown()).metrics();
  return new Set([...own, ...Array.from(page.matchAll(/^# TYPE (\w+)/gm), ([, name]) => name!)]);
}
