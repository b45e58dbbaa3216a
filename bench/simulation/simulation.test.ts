import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Clock } from './clock.ts';
import { predictions, table, type Measurements } from './compare.ts';
import { Core } from './core.ts';
import { fit } from './fit.ts';
import { simulateLoad } from './load.ts';
import { exponential, seeded } from './random.ts';
import { deliveryCost, fitRooms } from './rooms.ts';
import { simulateStorm } from './storm.ts';

test('what is due is done in the order of time, and of asking where times are equal', () => {
  const clock = new Clock();
  const done: string[] = [];
  for (const [name, time] of [
    ['c', 30],
    ['a', 10],
    ['d', 30],
    ['b', 20],
    ['late', 99],
  ] as const) {
    clock.after(time, () => done.push(`${name} at ${clock.now}`));
  }
  clock.after(5, () => clock.after(6, () => done.push(`nested at ${clock.now}`)));
  clock.run(50);
  expect(done).toEqual(['a at 10', 'nested at 11', 'b at 20', 'c at 30', 'd at 30']);
  expect(clock.now).toBe(50);
});

test('a thousand things asked for at random are done in order', () => {
  const clock = new Clock();
  const random = seeded(7);
  const times: number[] = [];
  for (let count = 0; count < 1_000; count += 1) clock.after(random() * 100, () => times.push(clock.now));
  clock.run(100);
  expect(times.length).toBe(1_000);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('a thread keeps its core until it has nothing to do, or until its slice is over and another one waits', () => {
  const clock = new Clock();
  const core = new Core(clock);
  const done: string[] = [];
  const finish = (name: string) => () => done.push(`${name} at ${clock.now}`);
  core.run('main', 1_000, () => {
    finish('first')();
    core.run('main', 4_000, finish('long')); // the same slice of 3,000 goes on
  });
  clock.after(500, () => core.run('writer', 700, finish('write')));
  clock.run(10_000);
  expect(done).toEqual(['first at 1000', 'write at 3700', 'long at 5700']);
  expect(core.busy).toBe(5_700);
});

test('a thread that is alone is not stopped at the end of its slice', () => {
  const clock = new Clock();
  const core = new Core(clock);
  let end = 0;
  core.run('main', 10_000, () => (end = clock.now));
  clock.run(20_000);
  expect(end).toBe(10_000);
});

test('exponential times have their mean, and half of them are under ln 2 of it', () => {
  const random = seeded(3);
  const times = Array.from({ length: 20_000 }, () => exponential(random, 100)).toSorted((a, b) => a - b);
  expect(times.reduce((sum, time) => sum + time, 0) / times.length).toBeCloseTo(100, -1);
  expect(times[10_000]).toBeCloseTo(69.3, -1);
});

const COSTS = { exchange: 150, write: 10, commit: 250, disk: 100 };

test('one client alone waits for its own work and for two commits', () => {
  const { cpuMicroseconds, batch, p50 } = simulateLoad({ ...COSTS, disk: 0 }, 1, 1);
  expect(cpuMicroseconds).toBeCloseTo(150 + 2 * 260, 0);
  expect(batch).toBe(1);
  expect(p50).toBeCloseTo((150 + 2 * 260 + 2 * 20) / 1_000, 3);
});

test("clients, rate and round trip obey Little's law, and the core is never more than busy", () => {
  for (const clients of [1, 7, 60, 300]) {
    const { perSecond, cpuMicroseconds, mean } = simulateLoad(COSTS, clients, 3);
    expect((perSecond * mean) / 1_000 / clients).toBeCloseTo(1, 1);
    expect(perSecond * cpuMicroseconds).toBeLessThanOrEqual(1_010_000);
  }
});

test('a crowd shares commits: each exchange costs less, and the rate comes near what its own work allows', () => {
  const [few, many] = [simulateLoad(COSTS, 4, 2), simulateLoad(COSTS, 400, 2)];
  expect(many.batch).toBeGreaterThan(10 * few.batch);
  expect(many.cpuMicroseconds).toBeLessThan(0.6 * few.cpuMicroseconds);
  expect(many.perSecond).toBeGreaterThan(0.9 * (1_000_000 / (COSTS.exchange + 2 * COSTS.write)));
});

test('the same seed gives the same result, another seed another one', () => {
  expect(simulateLoad(COSTS, 20, 1, 5)).toEqual(simulateLoad(COSTS, 20, 1, 5));
  expect(simulateLoad(COSTS, 20, 1, 5)).not.toEqual(simulateLoad(COSTS, 20, 1, 6));
});

test('costs are found again in what they led to', () => {
  const point = (clients: number) => ({ clients, ...simulateLoad(COSTS, clients, 3) });
  const found = fit(point(1), point(200), COSTS.write);
  expect(found.exchange / COSTS.exchange).toBeCloseTo(1, 1);
  expect(found.commit / COSTS.commit).toBeCloseTo(1, 1);
  expect(found.disk / COSTS.disk).toBeCloseTo(1, 0);
});

test("a room's piece costs more for each member where the room is small", () => {
  const costs = fitRooms({ members: 10, cpuMicroseconds: 9 }, { members: 100, cpuMicroseconds: 7.2 });
  expect(costs.piece).toBeCloseTo(20);
  expect(costs.member).toBeCloseTo(7);
  expect(deliveryCost(costs, 10)).toBeCloseTo(9);
  expect(deliveryCost(costs, 1_000)).toBeCloseTo(7.02);
});

test('a storm takes as long as its work, or as it is spread out', () => {
  expect(simulateStorm(500, 2_000, 0)).toBeCloseTo(0.99, 2);
  expect(simulateStorm(500, 2_000, 10)).toBeCloseTo(9.9, 1);
});

test('the tables of the page on scaling are what the models say now', async () => {
  const page = await readFile(new URL('../../docs/scaling.md', import.meta.url), 'utf8');
  const measured = await readFile(new URL('./measured.json', import.meta.url), 'utf8');
  expect(page).toContain(table(predictions(JSON.parse(measured) as Measurements)));
});
