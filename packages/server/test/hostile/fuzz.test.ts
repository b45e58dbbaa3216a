import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAttacked, type Attacked } from './attacked.ts';
import { RawSocket } from './raw-socket.ts';

/** How long each property looks for what breaks it; FUZZ_SECONDS=600 looks for long. What it finds is kept as an example. */
const FUZZ_MS = Number(process.env['FUZZ_SECONDS'] ?? 3) * 1_000;
const settings = { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS, markInterruptAsFailure: false };
const timeout = FUZZ_MS + 30_000;

let server: Attacked;
let token: string;
beforeAll(async () => {
  server = await startAttacked({ settings: { HANDSHAKES_PER_10S: '1000000', SOCKETS_PER_USER: '100000' } });
  ({ token } = await server.signUp('fuzzer'));
});
afterAll(() => server.close());

const EVENTS = [
  'chat',
  'join_conversation',
  'leave_conversation',
  'sync',
  'auth_refresh',
  'connect',
  'error',
  '__proto__',
];
const KEYS = ['message', 'conversation_id', 'metadata', 'client_msg_id', 'after_seq', 'token', '__proto__', 'toJSON'];

/** JSON of any kind, often of a shape that is nearly right. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, 0, -0, 2 ** 53, '', 'x', '\u0000', '\ud800', '../', '$ne', 'a'.repeat(200)),
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie('any'), { maxKeys: 5 }),
  ),
})).any;

const event = fc.oneof(fc.constantFrom(...EVENTS), fc.string(), fc.integer());
const id = fc.oneof(fc.constant(''), fc.nat().map(String), fc.constantFrom('-1', '1e9', '9'.repeat(30)));
const json = fc.oneof(
  fc.tuple(event, value).map((pair) => JSON.stringify(pair)),
  value.map((any) => JSON.stringify(any) ?? ''),
  fc.string({ unit: 'binary' }),
  fc.tuple(fc.constantFrom('[', '{"a":', '"'), fc.nat(3_000)).map(([piece, count]) => piece.repeat(count)),
);
const namespace = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc.constantFrom('/,', '/admin,', '/x'),
  fc.string(),
);

/** Socket.IO packets by their grammar, and then not quite by it. */
const packet = fc
  .tuple(fc.constantFrom('42', '42', '42', '43', '40', '41', '44', '451-', '4511-', '462-', '4'), namespace, id, json)
  .map((parts) => parts.join(''));

/** What a connection may be sent: packets, Engine.IO frames of any kind, bytes. */
const frame = fc.oneof(
  { weight: 6, arbitrary: packet },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom('2', '3', '5', '6', '1', '0', '2probe', 'b4AAA') },
);

/** After whatever it was sent a connection is closed or answers; and nothing that it was told shows our insides. */
async function survives(raw: RawSocket): Promise<void> {
  const { webSocket } = raw;
  const answers = raw.askRaw('["sync",{}]').catch(() => null);
  const answer = await Promise.race([answers, raw.closed]);
  const isAnswered = typeof answer === 'object' && answer !== null;
  expect(isAnswered || webSocket.readyState > webSocket.OPEN).toBe(true);
  expect(server.fatal).toEqual([]);
}

test('whatever packets a login sends', { timeout }, async () => {
  let raw = await RawSocket.connect(server.url, token);
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 10 }), async (frames) => {
      if (raw.webSocket.readyState !== raw.webSocket.OPEN) raw = await RawSocket.connect(server.url, token);
      for (const data of frames) raw.send(data);
      await survives(raw);
    }),
    settings,
  );
  raw.close();
  await server.expectUnharmed();
});

test('whatever a stranger sends', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), async (frames) => {
      const raw = await server.stranger();
      for (const data of frames) raw.send(data);
      raw.send('42["chat",{"message":"x"}]'); // without a login this closes what is still open
      await raw.closed;
      expect(raw.received.join()).not.toContain('"connected"');
    }),
    settings,
  );
  await server.expectUnharmed();
});

test('whatever bytes come instead of WebSocket frames', { timeout }, async () => {
  const head =
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  const opcodes = fc.constantFrom(0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0x01, 0x00, 0xc1, 0xf1, 0x8f);
  const lengths = fc.constantFrom(0x80, 0x81, 0x84, 0xfd, 0xfe, 0xff, 0x05, 0x7e);
  const bytes = fc
    .tuple(opcodes, lengths, fc.uint8Array({ maxLength: 300 }))
    .map(([opcode, length, rest]) => Buffer.from([opcode, length, ...rest]));
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 8 }), async (pieces) => {
      const { port } = new URL(server.url);
      const connection = connect(Number(port), '127.0.0.1');
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      connection.on('error', () => undefined).once('close', () => resolve());
      connection.resume().write(head);
      connection.end(Buffer.concat([...pieces, Buffer.from([0x88, 0x80, 0, 0, 0, 0])]));
      await closed;
    }),
    settings,
  );
  await server.expectUnharmed();
});

const PATHS = [
  '/auth/register',
  '/auth/login',
  '/auth/refresh',
  '/auth/me',
  '/auth/password',
  '/chat',
  '/chat/x/continue',
  '/conversations',
  '/conversations/x/members',
  '/conversations/x/events',
  '/tasks',
  '/tasks/x/messages',
];

test('whatever REST is asked', { timeout }, async () => {
  const query = fc.dictionary(
    fc.constantFrom('skip', 'limit', 'sort_by', 'sort_order', 'after_seq', 'status', 'wait', 'before', 'x'),
    fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom('1e9', '-1', '\u0000', "' OR 1=1", '$ne')),
  );
  const request = fc.record({
    path: fc.oneof(
      fc.constantFrom(...PATHS),
      fc.string().map((part) => `/conversations/${encodeURIComponent(part.toWellFormed())}`),
    ),
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
    query,
    body: json,
    type: fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
    ),
  });
  const ask = async ({ path, method, query, body, type }: Parameters<Parameters<typeof request.map>[0]>[0]) => {
    const address = new URL(`${server.url}/api/v1${path}`);
    for (const [name, text] of Object.entries(query)) address.searchParams.set(name, text);
    if (address.searchParams.has('wait')) address.searchParams.set('wait', '0');
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    const response = await fetch(address, { method, headers, ...(method !== 'GET' && { body: body.toWellFormed() }) });
    return { status: response.status, text: await response.text() };
  };
  await fc.assert(
    fc.asyncProperty(request, async (asked) => {
      const { status, text } = await ask(asked);
      expect(status).toBeLessThan(500);
      if (text !== '') JSON.parse(text);
      expect(text).not.toMatch(/node_modules|\.ts:\d|SQLITE|syntax error/);
    }),
    settings,
  );
  await server.expectUnharmed();
});
