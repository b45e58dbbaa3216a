import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../crash/until.ts';
import type { ServerOptions } from '../support/start-server.ts';
import { startAttacked, type Attacked } from './attacked.ts';
import { RawSocket } from './raw-socket.ts';

/** The limits as they are by default, which test servers else have out of the way. */
const DEFAULTS = { CHAT_RATE: '', CHAT_BURST: '', EVENT_RATE: '', EVENT_BURST: '' };

const servers: Attacked[] = [];
async function start(settings: ServerOptions['settings'] = {}): Promise<Attacked> {
  const server = await startAttacked({ settings: { ...DEFAULTS, ...settings } });
  servers.push(server);
  return server;
}
afterEach(async () => {
  for (const server of servers.splice(0)) {
    await server.expectUnharmed();
    await server.close();
  }
});

interface Answer {
  ok: boolean;
  error?: { code: string; limit?: string; retry_after_ms?: number };
}

/** How often each code was answered. */
function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { error } of answers) counts[error?.code ?? 'ok'] = (counts[error?.code ?? 'ok'] ?? 0) + 1;
  return counts;
}

function expectRateLimited(answers: readonly Answer[], limit: string): void {
  for (const { error } of answers.filter(({ ok }) => !ok)) {
    expect(error).toMatchObject({ code: 'rate_limited', limit, retry_after_ms: expect.any(Number) });
    expect(error!.retry_after_ms).toBeGreaterThan(0);
  }
}

describe('1,000 messages at once', () => {
  test('from one socket are each answered: a burst is taken, the rest told when to try again', async () => {
    const server = await start();
    const { raw } = await server.attacker('mallory');
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => raw.ask('chat', { message: `${i}` })));
    const { ok, rate_limited } = tally(answers);
    expect(ok! + rate_limited!).toBe(1_000);
    expect(ok).toBeGreaterThanOrEqual(20);
    expect(ok).toBeLessThan(60); // the burst of 20 and what a slow machine refills meanwhile
    expectRateLimited(answers, '5 messages a second');
  });

  test('from ten sockets of one user and REST share one limit', async () => {
    const server = await start();
    const person = await server.signUp('mallory');
    const raws = await Promise.all(Array.from({ length: 10 }, () => RawSocket.connect(server.url, person.token)));
    const answers = await Promise.all(
      raws.flatMap((raw) => Array.from({ length: 100 }, () => raw.ask('chat', { message: 'x' }))),
    );
    const { ok } = tally(answers);
    expect(ok).toBeGreaterThanOrEqual(20);
    expect(ok).toBeLessThan(60);
    expectRateLimited(answers, '5 messages a second');
    const rest = await Promise.all(
      Array.from({ length: 20 }, () => server.call('POST', '/chat', { token: person.token, json: { message: 'x' } })),
    );
    const refused = rest.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]!.body).toMatchObject({ error: 'rate_limited', retry_after_ms: expect.any(Number) });
    for (const raw of raws) raw.close();
  });

  test('that are refused can be sent again after the time that was told', async () => {
    const server = await start({ CHAT_RATE: '20', CHAT_BURST: '2' });
    const { raw } = await server.attacker('mallory');
    const answers = await Promise.all(Array.from({ length: 3 }, () => raw.ask('chat', { message: 'x' })));
    const told = performance.now() + answers[2].error.retry_after_ms;
    await until(() => performance.now() >= told, 5_000, 'the time that was told');
    expect(await raw.ask('chat', { message: 'x' })).toMatchObject({ ok: true });
  });
});

test('joins and leaves are limited a socket, whatever they are of', async () => {
  const server = await start();
  const { raw } = await server.attacker('mallory');
  const { conversation_id } = await raw.ask('chat', { message: 'x' });
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) =>
      raw.ask(index % 2 ? 'leave_conversation' : 'join_conversation', { conversation_id }),
    ),
  );
  const { ok } = tally(answers);
  expect(ok).toBeGreaterThanOrEqual(100);
  expect(ok).toBeLessThan(400);
  expectRateLimited(answers, '50 events a second');
});

test('REST is limited a user as well', async () => {
  const server = await start();
  const { token } = await server.signUp('mallory');
  const answers = await Promise.all(Array.from({ length: 200 }, () => server.call('GET', '/conversations', { token })));
  expect(answers.map(({ status }) => status)).toContain(429);
});

test('20,000 events within a second end the connection; those before are answered, those after not read', async () => {
  const server = await start();
  const { raw } = await server.attacker('mallory');
  for (let index = 0; index < 20_000; index += 1) raw.send('42["sync",{}]');
  expect(await raw.closed).toBe(1008);
  const answered = raw.received.filter((frame) => frame.includes('rate_limited')).length;
  expect(answered).toBeGreaterThan(500);
  expect(answered).toBeLessThan(6_000); // 2,000 a second, for as long as a slow machine takes to send them
});

test('a socket joins so many conversations and no more, also when it joins them all at once', async () => {
  const server = await startAttacked({ settings: { JOINED_CONVERSATIONS: '10' } });
  servers.push(server);
  const { raw, person } = await server.attacker('mallory');
  const ids: string[] = [];
  for (let count = 0; count < 30; count += 1) {
    ids.push(
      (await server.call('POST', '/chat', { token: person.token, json: { message: 'x' } })).body.conversation_id,
    );
  }
  const joins = await Promise.all(ids.map((conversation_id) => raw.ask('join_conversation', { conversation_id })));
  expect(tally(joins)).toEqual({ ok: 10, too_many_rooms: 20 });
  expect(joins.find(({ ok }) => !ok).error).toMatchObject({ limit: '10 joined conversations' });
  for (const conversation_id of ids) {
    const json = { message: 'to all', conversation_id };
    await server.call('POST', '/chat', { token: person.token, json });
  }
  for (const [index, { ok }] of joins.entries()) {
    const event = ok ? 'conversation_event' : 'conversation_changed'; // a hint is all that comes without joining
    await raw.next((text) => text.startsWith(`42["${event}"`) && text.includes(ids[index]!));
  }
  expect(raw.received.filter((text) => text.startsWith('42["conversation_event"')).length).toBe(10);
  expect(tally([await raw.ask('chat', { message: 'into a new one' })])).toEqual({ too_many_rooms: 1 });
  const joined = ids[joins.findIndex(({ ok }) => ok)];
  await raw.ask('leave_conversation', { conversation_id: joined });
  expect(tally([await raw.ask('chat', { message: 'into a new one' })])).toEqual({ ok: 1 });
});

test('the eleventh socket of a user closes the one that did nothing for longest', async () => {
  const server = await start();
  const person = await server.signUp('mallory');
  const raws: RawSocket[] = [];
  for (let count = 0; count < 10; count += 1) raws.push(await RawSocket.connect(server.url, person.token));
  for (const raw of raws.slice(1)) await raw.ask('leave_conversation', { conversation_id: 'x' });
  raws.push(await RawSocket.connect(server.url, person.token));
  expect(await raws[0]!.nextError()).toMatchObject({ error: 'replaced', limit: '10 connections' });
  await raws[0]!.closed;
  for (const raw of raws.slice(1)) {
    expect(await raw.ask('leave_conversation', { conversation_id: 'x' })).toMatchObject({ ok: true });
    raw.close();
  }
});

test('a user who connects again and again is told to wait, and counts as a stranger from then on', async () => {
  const server = await start({ SOCKETS_PER_USER: '1', HANDSHAKES_PER_10S: '30' });
  const { token } = await server.signUp('mallory');
  for (let count = 0; count < 50; count += 1) (await RawSocket.connect(server.url, token)).close();
  const refusals: string[] = [];
  for (let count = 0; count < 20; count += 1) {
    const raw = await server.stranger();
    raw.send(`40${JSON.stringify({ token })}`);
    refusals.push(await raw.next((text) => text.startsWith('4')));
    raw.close();
  }
  const { message, data } = JSON.parse(refusals[0]!.slice(2));
  expect(message).toBe('rate_limited');
  expect(data).toMatchObject({ limit: '50 connections in 10 s', retry_after_ms: expect.any(Number) });
  const others = Array.from({ length: 15 }, () => RawSocket.open(server.url).catch(({ status }) => status));
  expect(await Promise.all(others)).toContain(429);
});

test('two answers of a user are written at once, ten more wait, and the next is refused', async () => {
  const gate = Promise.withResolvers<void>();
  let writing = 0;
  const server = await startAttacked({
    assistant: {
      name: 'slow',
      async *reply() {
        writing += 1;
        await gate.promise;
        yield 'done';
      },
    },
  });
  servers.push(server);
  const { raw } = await server.attacker('mallory');
  const answers: Answer[] = [];
  for (let count = 0; count < 15; count += 1) answers.push(await raw.ask('chat', { message: 'x' }));
  expect(tally(answers)).toEqual({ ok: 12, too_many_tasks: 3 });
  expect(answers.at(-1)!.error).toMatchObject({ limit: '12 unanswered messages', retry_after_ms: expect.any(Number) });
  expect(writing).toBe(3); // one of them is the bystander's
  gate.resolve();
  const isEnd = (text: string) => text.startsWith('42["conversation_event"') && text.includes('"ends_task"');
  for (let count = 0; count < 12; count += 1) await raw.next(isEnd);
  expect(await raw.ask('chat', { message: 'x' })).toMatchObject({ ok: true });
});
