import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { BusMessage } from '../../src/delivery/bus.ts';
import { WorkerBus, type WorkerLink } from '../../src/delivery/worker-bus.ts';
import type { Questions, ToPrimary, ToWorker } from '../../src/workers/messages.ts';
import { Switchboard } from '../../src/workers/switchboard.ts';

const stream = (text: string): BusMessage => {
  return { kind: 'stream', conversation_id: 'c', name: 'response_delta', payload: { text } };
};

/** A worker as the switchboard sees it. `reads`: whether what is written to it leaves the primary. */
class Worker {
  readonly received: ToWorker[] = [];
  reads = true;
  #unread: (() => void)[] = [];

  static connect(switchboard: Switchboard, number: number): Worker {
    const worker = new Worker();
    switchboard.connect(number, (batch, written) => {
      worker.received.push(...batch);
      if (worker.reads) queueMicrotask(written);
      else worker.#unread.push(written);
    });
    return worker;
  }

  get told(): string[] {
    return this.received.flatMap((message) => (message.kind === 'told' ? [message.text] : []));
  }

  get kinds(): string[] {
    return this.received.map(({ kind }) => kind);
  }

  readAll(): void {
    this.reads = true;
    for (const written of this.#unread.splice(0)) written();
  }
}

/** What a turn of the event loop gathers goes out at its end; an answer is given one later. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await nextTurn();
}

test('what is published reaches the other workers that follow any of the topics, each once', async () => {
  const switchboard = new Switchboard(pino({ level: 'silent' }));
  const [one, two, three] = [1, 2, 3].map((number) => Worker.connect(switchboard, number));
  for (const topic of ['conversation:c', 'user:u']) {
    for (const number of [1, 2]) switchboard.receive(number, { kind: 'follow', id: 1, topic });
  }
  switchboard.receive(1, { kind: 'publish', topics: ['conversation:c', 'user:u'], text: 'hello' });
  await settled();
  expect([one!.told, two!.told, three!.told]).toEqual([[], ['hello'], []]);
  switchboard.receive(2, { kind: 'unfollow', topic: 'user:u' });
  switchboard.receive(1, { kind: 'publish', topics: ['user:u'], text: 'gone' });
  switchboard.receive(1, { kind: 'publish', topics: ['conversation:c'], text: 'still there' });
  await settled();
  expect(two!.told).toEqual(['hello', 'still there']);
});

test('the death of a worker takes nothing from the others, and its successor begins with nothing', async () => {
  const switchboard = new Switchboard(pino({ level: 'silent' }));
  const [dying, other] = [Worker.connect(switchboard, 1), Worker.connect(switchboard, 2)];
  Worker.connect(switchboard, 3);
  for (const number of [1, 2]) switchboard.receive(number, { kind: 'follow', id: 1, topic: 'all' });
  switchboard.disconnect(1);
  const successor = Worker.connect(switchboard, 1);
  switchboard.receive(3, { kind: 'publish', topics: ['all'], text: 'after' });
  await settled();
  expect([dying.told, other.told, successor.received]).toEqual([[], ['after'], []]);
});

test('what a worker does not read is bounded; once it reads again it is told that it missed something', async () => {
  const switchboard = new Switchboard(pino({ level: 'silent' }));
  Worker.connect(switchboard, 1);
  const hung = Worker.connect(switchboard, 2);
  switchboard.receive(2, { kind: 'follow', id: 1, topic: 'all' });
  hung.reads = false;
  const text = 'x'.repeat(100_000);
  for (let count = 0; count < 1_000; count += 1) {
    switchboard.receive(1, { kind: 'publish', topics: ['all'], text });
    if (count % 10 === 0) await nextTurn();
  }
  await settled();
  expect(hung.told.length * text.length).toBeLessThan(6_000_000);
  expect(hung.kinds).not.toContain('missed');
  hung.readAll();
  await settled();
  switchboard.receive(1, { kind: 'publish', topics: ['all'], text: 'again' });
  await settled();
  expect(hung.kinds.slice(-2)).toEqual(['missed', 'told']);
  expect(hung.told.at(-1)).toBe('again');
});

test('metrics are gathered from those who tell them in time', async () => {
  const switchboard = new Switchboard(pino({ level: 'silent' }));
  const [asking, telling] = [Worker.connect(switchboard, 1), Worker.connect(switchboard, 2)];
  Worker.connect(switchboard, 3); // says nothing
  switchboard.receive(1, { kind: 'metrics', id: 7 });
  await settled();
  for (const [number, worker] of [[1, asking] as const, [2, telling] as const]) {
    const [question] = worker.received.filter(({ kind }) => kind === 'own_metrics') as { id: number }[];
    switchboard.receive(number, { kind: 'own_metrics', id: question!.id, metrics: [] });
  }
  await expect.poll(() => asking.received.at(-1), { timeout: 10_000 }).toMatchObject({ kind: 'answer', id: 7 });
  expect(asking.received.at(-1)).toEqual({ kind: 'answer', id: 7, answer: [[], []] });
});

/** A link to a primary that answers when the test says so. */
class TestLink implements WorkerLink {
  isUp = true;
  readonly sent: Pick<ToPrimary, 'kind'>[] = [];
  readonly answers: (() => void)[] = [];
  tell: (text: string) => void = () => undefined;

  offer(message: { kind: 'publish'; topics: readonly string[]; text: string }): void {
    this.sent.push(message);
  }
  send(message: { kind: 'unfollow'; topic: string }): void {
    this.sent.push(message);
  }
  ask(_kind: 'follow', { topic }: Questions['follow']['ask']): Promise<null> {
    this.sent.push({ kind: 'follow', topic } as never);
    return new Promise((resolve) => this.answers.push(() => resolve(null)));
  }
  on(name: 'told' | 'missed', listener: (text: string) => void): void {
    if (name === 'told') this.tell = listener;
  }
}

test('a worker follows a topic once it is answered, and asks for it only once', async () => {
  const link = new TestLink();
  const bus = new WorkerBus(link, true);
  const received: BusMessage[] = [];
  bus.subscribe(
    (message) => void received.push(message),
    () => undefined,
  );
  const order: string[] = [];
  const both = ['first', 'second'].map((name) => Promise.resolve(bus.follow('user:u')).then(() => order.push(name)));
  await settled();
  expect(order).toEqual([]);
  for (const answer of link.answers) answer();
  await Promise.all(both);
  expect(bus.follow('user:u')).toBeUndefined();
  expect(link.sent).toEqual([
    { kind: 'follow', topic: 'all' },
    { kind: 'follow', topic: 'user:u' },
  ]);
  bus.unfollow('user:u');
  bus.unfollow('user:u');
  expect(link.sent.slice(2)).toEqual([{ kind: 'unfollow', topic: 'user:u' }]);
  link.tell(JSON.stringify(stream('word')));
  expect(received).toEqual([stream('word')]);
});

test('a large event goes as its seq; the log is looked at where the primary does not answer or others use the database', () => {
  const link = new TestLink();
  const bus = new WorkerBus(link, true);
  const event = { conversation_id: 'c', seq: 3, type: 'x', data: { text: 'x'.repeat(70_000) } };
  bus.publish(['conversation:c'], { kind: 'event', conversation_id: 'c', seq: 3, asker: null, event: event as never });
  const [{ text }] = link.sent as unknown as [{ text: string }];
  expect(JSON.parse(text)).toMatchObject({ kind: 'event', seq: 3, event: null });
  expect([bus.isUp, new WorkerBus(link, false).isUp]).toEqual([true, false]);
  link.isUp = false;
  expect(bus.isUp).toBe(false);
});
