import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Assistant } from '../../src/assistants/assistant.ts';
import { createScripted } from '../../src/assistants/scripted.ts';
import type { ServerOptions } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { startAttacked, type Attacked } from './attacked.ts';

type Reply = Assistant['reply'];

/** How the assistant behaves to the next who asks, but to the bystander. */
let next: Reply;
const wild: Assistant = {
  name: 'wild',
  reply: (request) =>
    request.user.name === 'bystander' ? createScripted([[{ text: 'ok' }]]).reply(request) : next(request),
};

interface Asked {
  readonly server: Attacked;
  readonly client: TestClient;
}
let patient: Asked;
let hasty: Asked;
beforeAll(async () => {
  [patient, hasty] = await Promise.all([start(), start({ TASK_DEADLINE_SECONDS: '1' })]);
});
afterEach(() => Promise.all([patient, hasty].map(({ server }) => server.expectUnharmed())));
afterAll(() => Promise.all([patient, hasty].map(({ server }) => server.close())));

async function start(settings: ServerOptions['settings'] = {}): Promise<Asked> {
  const server = await startAttacked({ assistant: wild, settings });
  const person = await server.signUp('mallory');
  return { server, client: await server.connect(person, { protocol: 1, transports: ['websocket'] }) };
}

const isEnd = ({ type, data }: { type: string; data: { ends_task?: object } }) =>
  type === 'task_ended' || data.ends_task !== undefined;

/** Asks an assistant that behaves as given, and waits for the end that everybody sees. */
async function ask(reply: Reply, { client }: Asked = patient) {
  next = reply;
  const { task_id } = await client.ask('chat', { message: 'go' });
  return { client, task_id, end: await client.next('conversation_event', isEnd) };
}

/** The deltas put together, which must be the stored text exactly. */
function streamed(client: TestClient, taskId: string): string {
  let text = '';
  for (const { name, payload } of client.received) {
    if (name !== 'response_delta' || payload.task_id !== taskId) continue;
    expect(payload.index).toBe(text.length);
    expect(payload.text.isWellFormed()).toBe(true);
    expect(payload.text.length).toBeLessThan(10_000);
    text += payload.text;
  }
  return text;
}

const failed = {
  type: 'task_ended',
  data: { task: { status: 'failed', error: { code: 'assistant_failed', message: expect.any(String) } } },
};

test('10 MB are cut at the longest answer, and deltas and stored text agree', async () => {
  const flood = createScripted([[{ flood: 10_000_000 }]]);
  const { client, task_id, end } = await ask((request) => flood.reply(request));
  expect(end.data.message.content.length).toBe(200_000);
  expect(streamed(client, task_id)).toBe(end.data.message.content);
});

test('one part of 50 MB is cut too, and no surrogate pair with it', async () => {
  const { client, task_id, end } = await ask(async function* () {
    yield `x${'💬'.repeat(25_000_000)}`;
  });
  expect(end.data.message.content).toBe(`x${'💬'.repeat(99_999)}`);
  expect(streamed(client, task_id)).toBe(end.data.message.content);
});

test('endless words without a pause are cut, and others are served meanwhile', async () => {
  const { end } = await ask(async function* () {
    for (;;) yield 'a';
  });
  expect(end.data.message.content).toBe('a'.repeat(200_000));
});

test('endless parts of nothing end at the deadline, and others are served meanwhile', async () => {
  const { end } = await ask(async function* () {
    for (;;) yield '';
  }, hasty);
  expect(end.data.task).toMatchObject({ status: 'failed', error: { code: 'assistant_timeout' } });
});

test("what is not text is the assistant's failure; what came before it is kept", async () => {
  const parts: unknown[] = [
    7,
    null,
    undefined,
    {},
    { type: 'text' },
    { text: 7 },
    Buffer.from('x'),
    ['x'],
    Symbol('x'),
  ];
  parts.push({
    get text() {
      throw new Error('secret of the getter');
    },
  });
  for (const part of parts) {
    const { end, client, task_id } = await ask(async function* () {
      yield 'kept ';
      yield part as string;
    });
    expect(end).toMatchObject(failed);
    expect(end.data.task.partial_text).toBe('kept ');
    expect(streamed(client, task_id)).toBe('kept ');
  }
});

test('whatever is thrown, people get the one sentence and nothing of its cause', async () => {
  class Mean extends Error {
    override get message(): string {
      throw new Error('secret of the message');
    }
  }
  const thrown = [
    'secret text',
    null,
    undefined,
    7,
    Symbol('secret'),
    { code: 'secret' },
    new Mean(),
    new Error('secret'),
  ];
  for (const reason of thrown) {
    const { end, client } = await ask(async function* () {
      yield 'half';
      throw reason;
    });
    expect(end).toMatchObject(failed);
    expect(JSON.stringify(client.received)).not.toContain('secret');
  }
});

test.each<[string, unknown]>([
  ['nothing', () => undefined],
  ['a promise', async () => 'text'],
  ['a number', () => 7],
  ['an iterator that answers no objects', () => ({ [Symbol.asyncIterator]: () => ({ next: async () => 7 }) })],
  ['an iterator without next', () => ({ [Symbol.asyncIterator]: () => ({}) })],
  [
    'an iterator whose return throws',
    () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ value: 7, done: false }),
        return: () => {
          throw new Error('secret');
        },
      }),
    }),
  ],
  [
    'a throw instead of an iterator',
    () => {
      throw new Error('secret');
    },
  ],
])('an assistant that returns %s fails visibly', async (_name, reply) => {
  const { end } = await ask(reply as Assistant['reply']);
  expect(end).toMatchObject(failed);
});

test('an iterator of their own making, whose return is no promise, ends as well', async () => {
  let calls = 0;
  const { end } = await ask((() => ({
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ value: 'text', done: (calls += 1) > 1 }),
      return: () => ({}),
    }),
  })) as unknown as Assistant['reply']);
  expect(end.data.message.content).toBe('text');
});

test('an assistant that says nothing fails visibly', async () => {
  const { end } = await ask(async function* () {});
  expect(end).toMatchObject(failed);
});

test('what it says is text whatever it looks like: HTML, NUL, escapes, lone surrogates, separators', async () => {
  const parts = [
    '<script>alert(1)</script>',
    '\u0000',
    '\u001b[31m',
    '\u202e',
    '\ufeff',
    '\u2028\u001e',
    '\ud83d',
    '\udcac',
    'x\ud800',
  ];
  const { client, task_id, end } = await ask(async function* () {
    yield* parts;
  });
  expect(end.data.message.content).toBe(parts.join('').toWellFormed());
  expect(streamed(client, task_id)).toBe(end.data.message.content);
});

test('the longest answer in the costliest characters, 1.2 MB as JSON, reaches whoever reads, live and by pages', async () => {
  const { client, end } = await ask(async function* () {
    yield '\u0000'.repeat(200_000);
  });
  expect(end.data.message.content).toBe('\u0000'.repeat(200_000));
  const { conversation_id } = end;
  const page = await client.ask('sync', { conversation_id, after_seq: end.seq - 1 });
  expect(page.events[0].data).toEqual(end.data);
  expect(await client.ask('join_conversation', { conversation_id, after_seq: 0 })).toMatchObject({ ok: true });
});

test('one that never ends, and does not listen, is ended at the deadline, and the next question is answered', async () => {
  let calls = 0;
  const { end, client } = await ask(async function* () {
    calls += 1;
    if (calls > 1) yield 'second';
    else {
      yield 'first';
      await new Promise(() => {});
    }
  }, hasty);
  expect(end.data.task).toMatchObject({
    status: 'failed',
    error: { code: 'assistant_timeout' },
    partial_text: 'first',
  });
  await client.ask('chat', { message: 'again', conversation_id: end.conversation_id });
  const second = await client.next('conversation_event', isEnd);
  expect(second.data.message.content).toBe('second');
});

test('one that goes on after its end adds nothing and harms nobody', async () => {
  const gate = Promise.withResolvers<void>();
  const { client, end } = await ask(async function* () {
    yield 'first';
    await gate.promise;
    yield 'too late';
    throw new Error('much too late');
  }, hasty);
  gate.resolve();
  await hasty.server.expectUnharmed();
  const page = await client.ask('sync', { conversation_id: end.conversation_id, after_seq: 0 });
  expect(page.events.length).toBe(2);
  expect(JSON.stringify([page, client.received])).not.toContain('too late');
});
