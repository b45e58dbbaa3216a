import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** All that the server counts. Labels take few, fixed values, never an id. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Makes the metrics in a registry of their own, so that several servers can live in one process. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    connections: new Gauge({
      name: 'tertulia_connections',
      help: 'Open sockets.',
      labelNames: ['protocol'],
      registers,
    }),
    events: new Counter({
      name: 'tertulia_events_total',
      help: 'Client events, by name and by how they went.',
      labelNames: ['event', 'result'],
      registers,
    }),
    disconnects: new Counter({
      name: 'tertulia_disconnects_total',
      help: 'Sockets that went, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    chatStored: new Histogram({
      name: 'tertulia_chat_ack_seconds',
      help: 'From a chat event to its commit.',
      buckets: SECONDS,
      registers,
    }),
    firstToken: new Histogram({
      name: 'tertulia_chat_first_token_seconds',
      help: "From a task's start to the first text of its answer.",
      buckets: SECONDS,
      registers,
    }),
    answered: new Histogram({
      name: 'tertulia_chat_answer_seconds',
      help: "From a task's start to its stored end.",
      buckets: SECONDS,
      registers,
    }),
    commitBatch: new Histogram({
      name: 'tertulia_commit_batch_operations',
      help: 'Writes that were committed together.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      registers,
    }),
    slowConsumers: new Counter({
      name: 'tertulia_slow_consumers_total',
      help: 'Sockets that were closed because they did not read.',
      registers,
    }),
  };
}
