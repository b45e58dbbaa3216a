import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogStore } from '../../src/store/store.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { TestHub } from '../support/test-hub.ts';

/** Answers being written on all nodes, and how many of them at most at once. */
let writing: number;
let most: number;
let pause: () => Promise<void>;
let directory: string;
let hub: TestHub;
let nodes: TestServer[];

const assistant = {
  name: 'slow',
  async *reply() {
    writing += 1;
    most = Math.max(most, writing);
    for (const { context } of nodes) context.tasks.sweep();
    await pause();
    yield 'done';
    writing -= 1;
  },
};

beforeEach(async () => {
  [writing, most, nodes] = [0, 0, []];
  pause = () => delay(300); // long enough for each node to look for more
  directory = await mkdtemp(join(tmpdir(), 'tertulia-nodes-'));
  hub = new TestHub();
  for (let number = 1; number <= 3; number += 1) {
    nodes.push(await startServer({ assistant, bus: hub.connect(), directory, sharesFolder: true }));
  }
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await rm(directory, { recursive: true });
});

test('a user has no more answers written at once on several nodes than on one, and none is left behind', async () => {
  const [first] = nodes;
  const ann = await first!.signUp('ann');
  const client = await first!.connect(ann, { protocol: 1 });
  const asked: string[] = [];
  for (let number = 1; number <= 8; number += 1) asked.push((await client.ask('chat', { message: 'go' })).task_id);
  for (const { context } of nodes) context.tasks.sweep();
  const ended = new Set<string>();
  while (ended.size < asked.length) ended.add((await client.next('response_end')).task_id);
  expect(ended).toEqual(new Set(asked));
  expect(most).toBe(2);
  await vi.waitFor(() => {
    for (const { context } of nodes) expect(context.tasks.counts).toEqual({ running: 0, waiting: 0 });
  });
});

test('a flood of messages meets the limit of the queue also on one node of many, while the database takes its time', async () => {
  const answered = Promise.withResolvers<void>();
  pause = () => answered.promise;
  const [first] = nodes;
  const { log } = first!.context.store as { log: { -readonly [K in keyof LogStore]: LogStore[K] } };
  const append = log.append.bind(log);
  log.append = async (event) => {
    await delay(20);
    return append(event);
  };
  const ann = await first!.signUp('ann');
  const client = await first!.connect(ann, { protocol: 1 });
  const asked: Promise<{ ok: boolean; error?: { code: string } }>[] = [];
  for (let number = 1; number <= 60; number += 1) {
    asked.push(client.ask('chat', { message: 'go' }));
    await delay(2);
  }
  const answers = await Promise.all(asked);
  answered.resolve();
  expect(answers.filter(({ ok }) => ok)).toHaveLength(12);
  expect(answers.findLast(({ ok }) => !ok)).toMatchObject({ error: { code: 'too_many_tasks' } });
});

test('a task that is handed back by a node that stops is looked for at once', async () => {
  const told: string[] = [];
  const listener = hub.connect();
  listener.subscribe(
    ({ kind }) => told.push(kind),
    () => undefined,
  );
  const stopping = await startServer({
    bus: hub.connect(),
    assistant: {
      name: 'slow',
      async *reply({ signal }) {
        yield 'I begin ';
        await once(signal, 'abort');
      },
    },
  });
  const client = await stopping.connect(await stopping.signUp('carol'), { protocol: 1 });
  await client.ask('chat', { message: 'go' });
  await client.next('response_delta');
  await stopping.close();
  expect(told).toContain('due');
  const sweep = vi.spyOn(nodes[0]!.context.tasks, 'sweep');
  listener.publish(['all'], { kind: 'due' });
  expect(sweep).toHaveBeenCalledOnce();
});
