/**
 * `node bench/scaling.ts`: what docs/scaling.md and the simulation rest on, into bench/simulation/measured.json.
 * `--only load` measures one part and leaves the others as they are. About three minutes on a calm machine.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { takeCalm } from './calm.ts';
import { withClients } from './exchange.ts';
import { withRooms } from './fan-out.ts';
import { measureHot } from './hot-conversation.ts';
import { measureList } from './long-list.ts';
import { LOAD_CORE } from './servers.ts';
import { measureRedis } from './redis-fan-out.ts';
import { measureStorm } from './storm.ts';

const FILE = new URL('./simulation/measured.json', import.meta.url);
const CLIENTS = [1, 4, 16, 50, 200, 400];
/** Members of a room, and how many such rooms: always 800 deliveries for each round of pieces. */
const ROOMS = [
  [10, 80],
  [50, 16],
  [100, 8],
  [200, 4],
] as const;
const STORMS = [1_000, 2_000];
const LISTS = [1_000, 10_000, 100_000];
const WARM_UP_SECONDS = 3;
const SECONDS = 2;
const SAMPLES = 3;

const { values: options } = parseArgs({ options: { only: { type: 'string' } } });
spawnSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)]);

const parts = { load, rooms, storms, redis, hot, lists };
const measured = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>;
for (const [name, measure] of Object.entries(parts)) {
  if (options.only && options.only !== name) continue;
  process.stderr.write(`measuring ${name} …\n`);
  measured[name] = await measure();
  measured['machine'] =
    `${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}, Node ${process.version}`;
  measured['date'] = new Date().toISOString().slice(0, 10);
  writeFileSync(FILE, `${JSON.stringify(measured, null, 2)}\n`);
}

async function load() {
  const points = [];
  for (const clients of CLIENTS) {
    points.push(
      await withClients(clients, async (sample, server) => {
        await sample(WARM_UP_SECONDS);
        const pids = [process.pid, server.process.pid ?? 0];
        const { samples, others } = await takeCalm(SAMPLES, pids, () => sample(SECONDS));
        const perSecond = median(samples.map((one) => one.perSecond));
        const cpuMicroseconds = median(samples.map((one) => one.cpuMicroseconds));
        const p50 = median(samples.map((one) => one.p50));
        return { clients, perSecond, cpuMicroseconds, p50, p99: median(samples.map((one) => one.p99)), others };
      }),
    );
  }
  return points;
}

async function rooms() {
  const points = [];
  for (const [members, count] of ROOMS) {
    points.push(
      await withRooms(members, count, async (sample, server) => {
        await sample(WARM_UP_SECONDS);
        const pids = [process.pid, server.process.pid ?? 0];
        const { samples, others } = await takeCalm(SAMPLES, pids, () => sample(SECONDS));
        return { members, cpuMicroseconds: median(samples.map((one) => one.cpuMicroseconds)), others };
      }),
    );
  }
  return points;
}

async function storms() {
  const points = [];
  for (const sockets of STORMS) points.push(await measureStorm(sockets));
  return points;
}

function redis() {
  return measureRedis([1, 2, 4, 8, 16], 100_000);
}

function hot() {
  return measureHot(10_000);
}

async function lists() {
  const points = [];
  for (const conversations of LISTS) points.push(await measureList(conversations));
  return points;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
