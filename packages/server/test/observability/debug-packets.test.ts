import { expect, test } from 'vitest';
import { describe } from '../../src/socket/debug-packets.ts';
import { startServer, type TestServer } from '../support/start-server.ts';

interface PacketLine {
  readonly msg: string;
  readonly direction: 'in' | 'out';
  readonly packet: string;
  readonly event?: string;
  readonly user_id?: string;
  readonly [field: string]: unknown;
}

function packets(server: TestServer): PacketLine[] {
  return server.logged.map((line) => JSON.parse(line) as PacketLine).filter(({ msg }) => msg === 'packet');
}

test('each packet is logged in and out, broadcasts and acknowledgements included, with whose it is', async () => {
  const server = await startServer({ settings: { DEBUG_SOCKETS: '1' } });
  const alice = await server.signUp('alice');
  const writer = await server.connect(alice, { protocol: 1 });
  const reader = await server.connect(alice, { protocol: 1 });
  const first = await writer.ask('chat', { message: 'private words' });
  const { conversation_id } = first;
  await writer.next('conversation_event', ({ data }) => data.ends_task);
  await reader.ask('join_conversation', { conversation_id });
  const { task_id } = await writer.ask('chat', { message: 'private words', conversation_id });
  await reader.next('conversation_event', ({ data }) => data.ends_task?.id === task_id);

  const lines = packets(server);
  expect(lines).toContainEqual(
    expect.objectContaining({ direction: 'in', packet: 'event', event: 'chat', user_id: alice.id, conversation_id }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ direction: 'out', packet: 'ack', ok: true, task_id, user_id: alice.id }),
  );
  const events = lines.filter(({ event, direction }) => event === 'conversation_event' && direction === 'out');
  expect(new Set(events.map(({ connection }) => connection)).size).toBe(2);
  expect(lines.filter(({ packet }) => packet === 'connect').map(({ direction }) => direction)).toEqual([
    'in',
    'out',
    'in',
    'out',
  ]);
  expect(server.logged.join()).not.toMatch(/private words/);
  await server.close();
});

test('without DEBUG_SOCKETS no packet is logged', async () => {
  const server = await startServer();
  const client = await server.connect(await server.signUp('alice'));
  await client.ask('chat', { message: 'hello' });
  expect(packets(server)).toEqual([]);
  await server.close();
});

test.each([
  [
    'a refusal',
    '33[{"ok":false,"error":{"code":"not_found","message":"m"}}]',
    { packet: 'ack', ack: 3, ok: false, code: 'not_found' },
  ],
  ['an event that is not known', '2["my secret",{"task_id":"t"}]', { packet: 'event', event: 'unknown', task_id: 't' }],
  [
    'ids that are none',
    '2["chat",{"conversation_id":"two words","task_id":{"a":1}}]',
    { packet: 'event', event: 'chat' },
  ],
  ['what is no JSON', '2["chat"', { packet: 'event', event: 'unknown' }],
  ['what is no packet', 'hello', { packet: 'unreadable' }],
  ['nothing', '', { packet: 'unreadable' }],
  ['a token', '0{"token":"secret"}', { packet: 'connect' }],
  ['bytes', Buffer.alloc(5), { packet: 'binary' }],
])('of %s no more is told than what it is', (_name, data, said) => {
  expect(describe(data)).toEqual({ ...said, bytes: data.length });
});
