import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startServer();
  ({ token } = await server.signUp('alice'));
});
afterAll(() => server.close());

interface Refusal {
  readonly message: string;
  readonly data: { readonly error: string; readonly message: string };
}

/** What a handshake is answered: `connected`, or the refusal. */
async function shake(auth: object): Promise<{ connected?: { protocol?: number }; refusal?: Refusal }> {
  const socket: Socket = io(server.url, { auth, reconnection: false, forceNew: true });
  try {
    return await new Promise((resolve) => {
      socket.once('connected', (connected) => resolve({ connected }));
      socket.once('connect_error', (refusal) => resolve({ refusal: refusal as unknown as Refusal }));
    });
  } finally {
    socket.close();
  }
}

test.each([1, '1'])('protocol %j is protocol 1', async (protocol) => {
  expect((await shake({ token, protocol })).connected?.protocol).toBe(1);
});

test('what is optional may be null, and counts as absent', async () => {
  const { connected } = await shake({ token, protocol: null, language: null, device_id: null });
  expect(connected).toMatchObject({ user: { username: 'alice' } });
  expect(connected).not.toHaveProperty('protocol');
});

test.each([
  ['protocol', 'one'],
  ['protocol', 1.5],
  ['protocol', {}],
  ['protocol', ''],
  ['language', 7],
  ['language', 'l'.repeat(36)],
  ['device_id', 'not an id'],
  ['device_id', 'd'.repeat(10_000)],
])('a malformed %s is named in the refusal', async (field, value) => {
  const { refusal } = await shake({ token, [field]: value });
  expect(refusal).toMatchObject({ message: 'invalid_payload', data: { error: 'invalid_payload' } });
  expect(refusal?.data.message).toMatch(new RegExp(`auth\\.${field} must (be|have) .*[^.]\\.$`));
});

test.each([999, '999'])('an unknown protocol, %j, is refused with the ones that are spoken', async (protocol) => {
  expect((await shake({ token, protocol })).refusal?.data).toMatchObject({
    error: 'unsupported_protocol',
    spoken: [1],
  });
});

test('a token that is malformed is unauthorized, whatever else is', async () => {
  expect((await shake({ token: 7, protocol: 'one' })).refusal?.message).toBe('unauthorized');
});

test("a token with 'Bearer ' in front is told of by its own sentence", async () => {
  expect((await shake({ token: `Bearer ${token}` })).refusal).toMatchObject({
    message: 'unauthorized',
    data: { error: 'unauthorized', message: "Send the token alone, without 'Bearer '." },
  });
});

test('a refused handshake is told in the log by its address and reason, without the token', async () => {
  const own = await startServer();
  const socket = io(own.url, { auth: { token: 'not-a-token' }, reconnection: false, forceNew: true });
  await new Promise((resolve) => socket.once('connect_error', resolve));
  socket.close();
  await fetch(`${own.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin: 'https://foreign.example' } });
  const lines = own.logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'handshake refused');
  expect(lines).toMatchObject([
    { address: expect.stringContaining('127.0.0.1'), code: 'unauthorized', count: 1 },
    { address: expect.stringContaining('127.0.0.1'), code: 'origin_not_allowed', count: 1 },
  ]);
  expect(own.logged.join()).not.toContain('not-a-token');
  await own.close();
});
