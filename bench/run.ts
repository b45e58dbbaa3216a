/**
 * `npm run bench`: every figure of docs/benchmarks.md, each a ratio between what ran side by side. `--short` prints a
 * quick impression, `--write` renews the page.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCatchUp } from './catch-up.ts';
import { measureCrossNode } from './cross-node.ts';
import { measureExchange, type Sample } from './exchange.ts';
import { measureSqlite } from './exchange-parts.ts';
import { measureFanOut } from './fan-out.ts';
import { measureIdle } from './idle.ts';
import { page, type Row } from './page.ts';
import { LOAD_CORE, startBare, startTertulia, withDirectory } from './servers.ts';
import { measureStorage } from './storage.ts';
import { measureTwoNodes } from './two-nodes.ts';

const { values: options } = parseArgs({
  options: { short: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
});
const short = options.short ?? false;

spawnSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)]);

const parts: Record<string, () => Promise<Row[]>> = {
  exchange: exchangeRows,
  alone: aloneRows,
  'fan-out': fanOutRows,
  idle: idleRows,
  storage: storageRows,
  'catch-up': catchUpRows,
  'cross-node': crossNodeRows,
  'two-nodes': twoNodesRows,
  start: startRows,
};

const rows: Row[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (options.only && options.only !== name) continue;
  process.stderr.write(`measuring ${name} …\n`);
  rows.push(...(await measure()));
}
const text = page(rows, {
  machine: `${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}`,
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
});
process.stdout.write(text);
if (options.write) writeFileSync(new URL('../docs/benchmarks.md', import.meta.url), text);

async function exchangeRows(): Promise<Row[]> {
  const load = short
    ? { clients: 50, window: 1, seconds: 2, rounds: 1 }
    : { clients: 200, window: 1, seconds: 5, rounds: 5 };
  const { bare, tertulia } = await measureExchange(load);
  return [
    {
      figure: `server CPU per durable chat exchange with acknowledgement and answer, ${load.clients} clients`,
      unit: 'µs',
      bare: bare.map((sample) => sample.cpuMicroseconds),
      ours: tertulia.map((sample) => sample.cpuMicroseconds),
      target: 2.5,
    },
    {
      figure: "of that, SQLite's own work for the two commits, 64 exchanges in each",
      unit: 'µs',
      bare: bare.map((sample) => sample.cpuMicroseconds),
      ours: [await measureSqlite(short ? 2_000 : 20_000, 64)],
    },
    roundTrip('round trip p50 under that load', 'p50', bare, tertulia),
    roundTrip('round trip p99 under that load', 'p99', bare, tertulia),
    {
      figure: 'exchanges a second on one core',
      unit: '/s',
      bare: bare.map((s) => s.perSecond),
      ours: tertulia.map((s) => s.perSecond),
    },
  ];
}

async function aloneRows(): Promise<Row[]> {
  const { bare, tertulia } = await measureExchange({
    clients: 1,
    window: 1,
    seconds: short ? 1 : 3,
    rounds: short ? 1 : 5,
  });
  return [
    roundTrip('round trip p50, one client alone', 'p50', bare, tertulia),
    roundTrip('round trip p99, one client alone', 'p99', bare, tertulia),
  ];
}

function roundTrip(figure: string, at: 'p50' | 'p99', bare: Sample[], tertulia: Sample[]): Row {
  return { figure, unit: 'ms', bare: bare.map((sample) => sample[at]), ours: tertulia.map((sample) => sample[at]) };
}

async function fanOutRows(): Promise<Row[]> {
  const { bare, tertulia } = await measureFanOut(short ? 1 : 5, short ? 2 : 5);
  return [
    {
      figure: 'server CPU per delta delivered to one of 100 members',
      unit: 'µs',
      bare: bare.map((sample) => sample.cpuMicroseconds),
      ours: tertulia.map((sample) => sample.cpuMicroseconds),
      target: 1.3,
    },
  ];
}

async function idleRows(): Promise<Row[]> {
  const { bare, tertulia } = await measureIdle(short ? 600 : 6_000);
  return [{ figure: 'memory per idle connection', unit: 'KB', bare: [bare], ours: [tertulia], target: 1.2 }];
}

async function storageRows(): Promise<Row[]> {
  const sizes = short ? [1_000, 50_000] : [1_000, 1_000_000];
  const [small, large] = await measureStorage(sizes, short ? 50 : 400);
  if (!small || !large) return [];
  const row = (figure: string, at: 'append' | 'appendOf64' | 'join', target?: number): Row => ({
    figure: `${figure}, ${large.messages.toLocaleString('en')} messages against ${small.messages.toLocaleString('en')}`,
    unit: 'µs',
    bare: [small[at]],
    ours: [large[at]],
    ...(target && { target }),
  });
  return [
    row('a durable append alone', 'append', 1.2),
    row('a durable append among 64', 'appendOf64', 1.2),
    row("reading a join's page of 50 events", 'join', 1.2),
  ];
}

async function crossNodeRows(): Promise<Row[]> {
  const measured = short ? await measureCrossNode(1, 2) : await measureCrossNode(5, 10);
  if (!measured) {
    process.stderr.write('left out: redis-server is not there\n');
    return [];
  }
  const figure = 'from a message to its hearer on another node by Redis, against one on the same node';
  return [{ figure, unit: 'ms', bare: measured.same, ours: measured.other }];
}

async function twoNodesRows(): Promise<Row[]> {
  const load = { clients: 30, window: 1, seconds: 10, rounds: short ? 1 : 7 };
  const measured = await measureTwoNodes(load);
  if (!measured) {
    process.stderr.write('left out: needs redis-server, a MongoDB in TEST_MONGODB_URL, and root for control groups\n');
    return [];
  }
  const { one, two } = measured;
  return [
    {
      figure: `exchanges a second of two nodes on one MongoDB against one, each node ${load.clients} clients and a fifth of a core`,
      unit: '/s',
      bare: one.map((sample) => sample.perSecond),
      ours: two.map((sample) => sample.perSecond),
      least: 1.6,
    },
    {
      figure: 'CPU of the nodes per exchange there',
      unit: 'µs',
      bare: one.map((sample) => sample.cpuMicroseconds),
      ours: two.map((sample) => sample.cpuMicroseconds),
    },
  ];
}

async function catchUpRows(): Promise<Row[]> {
  const { read, kept } = await measureCatchUp(short ? 1 : 5, short ? 1 : 3);
  const figure = 'server CPU per catch-up of 50 messages, from the kept end of a busy conversation against a read';
  return [{ figure, unit: 'µs', bare: read, ours: kept }];
}

async function startRows(): Promise<Row[]> {
  return withDirectory(async (directory) => {
    const bare: number[] = [];
    const ours: number[] = [];
    await (await startTertulia(directory)).stop();
    for (let round = 0; round < (short ? 2 : 7); round += 1) {
      const bareServer = await startBare();
      bare.push(bareServer.startMs);
      await bareServer.stop();
      const server = await startTertulia(directory);
      ours.push(server.startMs);
      await server.stop();
    }
    return [{ figure: 'ready after a second start', unit: 'ms', bare, ours }];
  });
}
