import { AggregatorRegistry, Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** All that the server counts. Labels take few, fixed values, never an id. */
export type Metrics = ReturnType<typeof createMetrics>;

/** A registry's metrics with their values. */
export type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** What Prometheus is answered from. */
type Page = Pick<Registry, 'metrics'> & { readonly contentType: string };

/** Reads the metrics of all servers behind one address, this one's among them; null where that cannot be done. */
export type GatherMetrics = () => Promise<readonly MetricsJson[] | null>;

/** Makes the metrics in a registry of their own, so that several servers can live in one process. */
export function createMetrics(gather?: GatherMetrics) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    /** What is to be shown to whoever asks this server. */
    shown: (): Promise<Page> => (gather ? summed(registry, gather) : Promise.resolve(registry)),
    ...socketMetrics(registry),
    ...chatMetrics(registry),
    ...storeMetrics(registry),
  };
}

async function summed(own: Registry, gather: GatherMetrics): Promise<Page> {
  const all = await gather();
  if (!all) return own;
  const registry = AggregatorRegistry.aggregate([...all]);
  const help =
    'Workers that told their metrics. The others of this page are their sums; lags are averages, readiness the least.';
  new Gauge({ name: 'tertulia_workers', help, registers: [registry] }).set(all.length);
  return registry;
}

function socketMetrics(registry: Registry) {
  const registers = [registry];
  return {
    connections: new Gauge({
      name: 'tertulia_connections',
      help: 'Open sockets, by protocol; 0 is the base layer.',
      labelNames: ['protocol'],
      registers,
    }),
    events: new Counter({
      name: 'tertulia_events_total',
      help: 'Client events, by name and by how they went: ok, or the code of the error.',
      labelNames: ['event', 'result'],
      registers,
    }),
    disconnects: new Counter({
      name: 'tertulia_disconnects_total',
      help: 'Sockets that went, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    slowConsumers: new Counter({
      name: 'tertulia_slow_consumers_total',
      help: 'Sockets that were closed because they did not read.',
      registers,
    }),
    httpRequests: new Counter({
      name: 'tertulia_http_requests_total',
      help: 'HTTP requests, by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
  };
}

function chatMetrics(registry: Registry) {
  const registers = [registry];
  return {
    chatStored: new Histogram({
      name: 'tertulia_chat_ack_seconds',
      help: 'From a chat event to its commit, after which it is acknowledged.',
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
    tasksEnded: new Counter({
      name: 'tertulia_tasks_ended_total',
      help: 'Tasks that this node ended, by status.',
      labelNames: ['status'],
      registers,
    }),
  };
}

function storeMetrics(registry: Registry) {
  const registers = [registry];
  return {
    commitBatch: new Histogram({
      name: 'tertulia_commit_batch_operations',
      help: 'Writes that were committed together.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'tertulia_commit_seconds',
      help: 'From handing writes to the database to their answer.',
      buckets: SECONDS,
      registers,
    }),
  };
}

/** What is read only when somebody asks for the metrics. */
export interface StateSources {
  /** Tasks of this node that are being answered, and that wait for their turn. */
  readonly tasks: () => { readonly running: number; readonly waiting: number };
  /** What waits for the database's writer and reader, and for the hashing of passwords. */
  readonly queues: () => Readonly<Record<string, number>>;
  /** Conversations that this node delivers to somebody. */
  readonly deliverers: () => number;
  /** Engine.IO sessions, also those that have not signed in. */
  readonly transports: () => number;
  readonly isReady: () => Promise<boolean>;
}

/** Adds the gauges of a server that is put together. */
export function watchState({ registry }: Metrics, sources: StateSources): void {
  gauge(registry, 'tertulia_tasks', 'Tasks on this node, by state.', 'state', () => ({ ...sources.tasks() }));
  const queues =
    'What waits for the database (write and read, or a connection to it) and for the hashing of passwords.';
  gauge(registry, 'tertulia_queue_depth', queues, 'queue', () => ({ ...sources.queues() }));
  count(registry, 'tertulia_deliverers', 'Conversations that this node delivers.', sources.deliverers);
  count(registry, 'tertulia_transports', 'Open transports, signed in or not.', sources.transports);
  const ready = '1 where /readyz answers 200, else 0.';
  count(registry, 'tertulia_ready', ready, async () => Number(await sources.isReady()), 'min');
}

/** What a link to other nodes tells of itself: counts since the start, by what became of a message. */
export interface BusState {
  readonly isUp: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

/** Adds what is to be seen of the link to other nodes. */
export function watchBus({ registry }: Metrics, bus: BusState): void {
  const up = 'Whether this node hears the others; 0 means that it reads the log.';
  count(registry, 'tertulia_bus_up', up, () => Number(bus.isUp), 'min');
  const messages = new Counter({
    name: 'tertulia_bus_messages_total',
    help: 'Messages between nodes: published, received, dropped since the link was away, refused since they were none.',
    labelNames: ['way'],
    registers: [],
    collect() {
      this.reset();
      for (const [way, number] of Object.entries(bus.counts)) this.inc({ way }, number);
    },
  });
  registry.registerMetric(messages);
}

function gauge(registry: Registry, name: string, help: string, label: string, read: () => Record<string, number>) {
  return new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [value, number] of Object.entries(read())) this.set({ [label]: value }, number);
    },
  });
}

function count(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | Promise<number>,
  aggregator: 'sum' | 'min' = 'sum',
) {
  return new Gauge({
    name,
    help,
    registers: [registry],
    aggregator,
    async collect() {
      this.set(await read());
    },
  });
}

/** Why Socket.IO says that a socket went. */
const REASONS = new Set([
  'client namespace disconnect',
  'forced close',
  'forced server close',
  'parse error',
  'ping timeout',
  'server namespace disconnect',
  'server shutting down',
  'transport close',
  'transport error',
]);

/** A disconnect's reason as a label: one of the known ones. */
export function reasonLabel(reason: string): string {
  return REASONS.has(reason) ? reason : 'other';
}
