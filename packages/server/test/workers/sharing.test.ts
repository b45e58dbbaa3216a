import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawSocket } from '../hostile/raw-socket.ts';
import { Workers, workerOf } from './workers.ts';

let server: Workers;
beforeAll(async () => void (server = await Workers.start(3, { ASSISTANT: 'scripted' })));
afterAll(() => server?.close());

/** A question whose answer comes in so many words. */
function streamOf(words: number): string {
  const steps = Array.from({ length: words }, (_, index) => [{ text: `word ${index} ` }, { delay_ms: 5 }]).flat();
  return `a stream please\nscript: ${JSON.stringify({ steps })}`;
}

test('people on different workers share a conversation: messages, streamed answers, and the end on the base layer', async () => {
  const [alice, bob] = [await server.signUp('alice'), await server.signUp('bob')];
  const [polling] = await server.connectToEach(alice, { transports: ['polling'] });
  const [, extended] = await server.connectToEach(bob, { protocol: 1, transports: ['websocket'] });
  expect(workerOf(polling!)).not.toBe(workerOf(extended!));
  const { body } = await server.call('POST', '/conversations', { token: alice.token, json: { title: 'a room' } });
  const conversation_id = body.id;
  const json = { username: 'bob' };
  await server.call('POST', `/conversations/${conversation_id}/members`, { token: alice.token, json });
  await extended!.ask('join_conversation', { conversation_id, after_seq: 0 });
  polling!.socket.emit('chat', { message: streamOf(20), conversation_id });
  const answer = await polling!.next('conversation');
  const end = await extended!.next('conversation_event', ({ data }) => data.message?.role === 'assistant');
  expect(end.data.message.content).toBe(answer.assistant_responses[0].content);
  const deltas = extended!.received.filter(({ name }) => name === 'response_delta').map(({ payload }) => payload.text);
  expect(deltas.join('')).toBe(end.data.message.content);
  expect(deltas.length).toBeGreaterThan(1);
  await polling!.ask('join_conversation', { conversation_id });
  const back = await extended!.ask('chat', { message: streamOf(1), conversation_id });
  expect(back.seq).toBe(end.seq + 1);
  await polling!.next('conversation', ({ task_id }) => task_id === back.task_id);
});

test('unmodified clients, which poll first and upgrade then, are at home on whichever worker their requests come to', async () => {
  const person = await server.signUp('many');
  const clients = await Promise.all(Array.from({ length: 12 }, () => server.connect(person)));
  expect(new Set(clients.map(workerOf)).size).toBe(3);
  for (const client of clients) expect(client.socket.io.engine.transport.name).toBe('websocket');
  const long = `${streamOf(1)}\n${'x'.repeat(15_000)}`;
  const answers = await Promise.all(clients.map((client) => client.ask('chat', { message: long })));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(12);
});

test('one connection, as of a reverse proxy, carries requests of sessions of different workers', async () => {
  const { token } = await server.signUp('carl');
  const sids = await server.sessionsOnEach();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const sid of sids) {
    const login = `40${JSON.stringify({ token })}`;
    expect(await server.ask('POST', sid, login, agent)).toMatchObject({ status: 200, text: 'ok' });
  }
  for (const sid of sids.toReversed()) {
    const { status, text, headers } = await server.ask('GET', sid, '', agent);
    expect([status, text]).toEqual([200, expect.stringMatching(/^40\{"sid":/)]);
    expect(headers['access-control-allow-origin']).toBe('http://localhost:3000');
  }
  agent.destroy();
});

const NOBODYS = [
  'here.w1.AAAAAAAAAAAAAAAAAAAAAA',
  'here.w9.AAAAAAAAAAAAAAAAAAAAAA',
  'AAAA',
  '..',
  'here.w1.',
  '../1.sock',
];

test.each(NOBODYS)('a session that no worker holds is unknown to each of them: %s', async (sid) => {
  const query = `EIO=4&transport=websocket&sid=${encodeURIComponent(sid)}`;
  for (let tries = 0; tries < 6; tries += 1) {
    const unknown = JSON.stringify({ code: 1, message: 'Session ID unknown' });
    expect(await server.ask('GET', sid)).toMatchObject({ status: 400, text: unknown });
    expect(await server.ask('POST', sid, 'x'.repeat(100_000))).toMatchObject({ status: 400, text: unknown });
    await expect(RawSocket.open(server.url, { query })).rejects.toThrow('refused with 400: Session ID unknown');
  }
});

test('what is too large for a session is refused, whichever worker it comes to', async () => {
  const { token } = await server.signUp('large');
  for (const sid of await server.sessionsOnEach()) {
    expect(await server.ask('POST', sid, `40${JSON.stringify({ token })}`)).toMatchObject({ text: 'ok' });
    expect(await server.ask('POST', sid, 'x'.repeat(300_000))).toMatchObject({ status: 413 });
  }
});

test('who does not read is closed, also where what it is sent passes through another worker', async () => {
  const [person, talker] = [await server.signUp('slow'), await server.signUp('talker')];
  const sender = await server.connect(talker, { protocol: 1 });
  const made = await server.call('POST', '/conversations', { token: talker.token, json: { title: 'busy' } });
  const conversation_id = made.body.id;
  const members = `/conversations/${conversation_id}/members`;
  await server.call('POST', members, { token: talker.token, json: { username: 'slow' } });
  const readers = await Promise.all((await server.sessionsOnEach()).map((sid) => upgraded(sid, person.token)));
  for (const reader of readers) {
    reader.send(`420["join_conversation",${JSON.stringify({ conversation_id, after_seq: 0 })}]`);
    await reader.next((text) => text.startsWith('430'));
    reader.webSocket.pause();
  }
  const areClosed = async () =>
    /tertulia_slow_consumers_total 3\n/.test(await (await fetch(`${server.url}/metrics`)).text());
  const message = `${streamOf(1)}\n${'x'.repeat(15_000)}`;
  const send = () => sender.ask('chat', { conversation_id, message });
  while (!(await areClosed())) await Promise.all(Array.from({ length: 20 }, send));
  for (const reader of readers) {
    reader.webSocket.resume();
    await reader.closed;
  }
});

/** A socket of protocol 1 on a WebSocket that began as polling. */
async function upgraded(sid: string, token: string): Promise<RawSocket> {
  await server.ask('POST', sid, `40${JSON.stringify({ token, protocol: 1 })}`);
  await server.ask('GET', sid);
  const raw = await RawSocket.open(server.url, { query: `EIO=4&transport=websocket&sid=${sid}` });
  raw.send('2probe');
  await raw.next((text) => text === '3probe');
  raw.send('5');
  return raw;
}

test('what ends with a login ends on every worker', async () => {
  const person = await server.signUp('dora');
  const clients = await server.connectToEach(person, { protocol: 1 });
  await server.call('POST', '/auth/logout', { token: person.token });
  for (const client of clients) await client.next('session_expired');
});

test('a name that is changed is another on every worker', async () => {
  const person = await server.signUp('eve');
  const clients = await server.connectToEach(person, { protocol: 1 });
  await server.call('PUT', '/auth/me', { token: person.token, json: { username: 'eva' } });
  for (const client of clients) {
    const { user_message } = await client.ask('chat', { message: 'who am I?' });
    expect(user_message.author.name).toBe('eva');
  }
});
