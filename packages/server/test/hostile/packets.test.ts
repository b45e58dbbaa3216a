import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Packet } from 'socket.io-parser';
import { BoundedDecoder } from '../../src/socket/packet-parser.ts';
import type { Person } from '../support/start-server.ts';
import { startAttacked, type Attacked } from './attacked.ts';
import { PollingSession } from './polling-session.ts';

let server: Attacked;
let mallory: Person;
beforeAll(async () => {
  server = await startAttacked({ settings: { SOCKETS_PER_USER: '1000' } });
  mallory = await server.signUp('mallory');
});
afterEach(() => server.expectUnharmed());
afterAll(() => server.close());

const attack = () => server.attackAs(mallory);
const placeholder = (num: unknown) => `{"_placeholder":true,"num":${JSON.stringify(num)}}`;

/** Packets that no client sends, as the frames that make them up: what belongs to no event costs its own connection. */
const BROKEN: [string, (string | Buffer)[]][] = [
  ['an empty message', ['4']],
  ['an unknown packet type', ['47["x"]']],
  ['a letter for a type', ['4x']],
  ['JSON that is cut off', ['42["chat",{"message":']],
  ['garbage after valid JSON', ['42["chat",{"message":"x"}]garbage']],
  ['two packets in one', ['42["chat",{"message":"x"}]42["chat",{"message":"x"}]']],
  ['four packets with separators in one frame', [Array(4).fill('42["sync",{}]').join('\x1e')]],
  ['an event that is no array', ['42{"0":"chat"}']],
  ['an event without a name', ['42[]']],
  ['an event named by an object', ['42[{"toString":"chat"}]']],
  ['11 attachments announced', ['4511-["chat",{}]']],
  ['1,000,000 attachments announced', ['451000000-["chat",{}]']],
  ['0 attachments', ['450-["chat",{}]']],
  ['-1 attachments', ['45-1-["chat",{}]']],
  ['1e1 attachments', ['451e99-["chat",{}]']],
  ['attachments without an end', ['45111111111']],
  ['a placeholder beyond the attachments', [`451-["chat",${placeholder(99)}]`, Buffer.from('x')]],
  ['a placeholder before them', [`451-["chat",${placeholder(-1)}]`, Buffer.from('x')]],
  ['a placeholder that is no number', [`451-["chat",${placeholder('x')}]`, Buffer.from('x')]],
  ['a placeholder between two', [`451-["chat",${placeholder(0.5)}]x`, Buffer.from('x')]],
  ['binary data without a packet', [Buffer.from('x')]],
  ['text while binary data is awaited', [`451-["chat",${placeholder(0)}]`, '42["chat",{"message":"x"}]']],
  ['a connect error', ['44{"message":"x"}']],
  ['an unknown Engine.IO type', ['9']],
  ["a ping, which is not the client's to send", ['2']],
  ['an open packet', ['0{"sid":"x"}', '42[', '42[']],
  ['an upgrade of what is a WebSocket', ['5', '42[']],
];

describe('a connection is closed, and only that one, by', () => {
  test.each(BROKEN)('%s', async (_name, frames) => {
    const raw = await attack();
    for (const frame of frames) raw.send(frame);
    await raw.closed;
  });

  test('a message over 256 KiB, also in pieces', async () => {
    const whole = await attack();
    whole.send(`42["chat",{"message":"${'x'.repeat(300_000)}"}]`);
    expect(await whole.closed).toBe(1009);
    const pieces = await attack();
    for (let part = 0; part < 5; part += 1) pieces.webSocket.send('x'.repeat(60_000), { fin: false });
    expect(await pieces.closed).toBe(1009);
  });

  test('text that is no UTF-8', async () => {
    const raw = await attack();
    raw.webSocket.send(Buffer.from([0x34, 0x32, 0xc3, 0x28]), { binary: false });
    expect(await raw.closed).toBe(1007);
  });

  test('more fragments than any client makes', async () => {
    const raw = await attack();
    for (let part = 0; part < 300; part += 1) raw.webSocket.send('x', { fin: false });
    expect(await raw.closed).toBe(1008);
  });

  test('compressed frames, which nobody agreed to', async () => {
    const raw = await attack();
    expect(raw.webSocket.extensions).toBe('');
    const { _socket } = raw.webSocket as unknown as { _socket: { write(data: Buffer): void } };
    _socket.write(Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x78]));
    expect(await raw.closed).toBe(1002);
  });
});

test('acknowledgements that nobody waits for are ignored', async () => {
  const raw = await attack();
  for (const packet of ['430[]', '431["x"]', '43', '4399999999999999999999[{}]', `461-0[${placeholder(0)}]`]) {
    raw.send(packet);
    if (packet.startsWith('46')) raw.send(Buffer.from('x'));
  }
  expect(await raw.ask('chat', { message: 'x' })).toMatchObject({ ok: true });
});

test('an event for another namespace closes the connection', async () => {
  const raw = await attack();
  raw.send('42/admin,["chat",{"message":"x"}]');
  await raw.closed;
});

test('no attachment is kept while others are awaited', async () => {
  const decoder = new BoundedDecoder();
  const decoded: Packet[] = [];
  decoder.on('decoded', (packet) => decoded.push(packet));
  decoder.add(`51-["chat",${placeholder(0)}]`);
  decoder.add(Buffer.alloc(200_000));
  expect(decoded[0]?.data[1].length).toBe(0);
  const raw = await attack();
  raw.send(`4510-["chat",${placeholder(9)}]`);
  for (let part = 0; part < 10; part += 1) raw.send(Buffer.alloc(200_000));
  const error = await raw.nextError();
  expect(error).toMatchObject({ error: 'invalid_payload' });
});

describe('by polling', () => {
  const connect = () => PollingSession.connect(server.url, mallory.token);

  /** All that comes until the session has ended. */
  async function drain(session: PollingSession): Promise<string> {
    const all: string[] = [];
    for (let packets = await session.poll(); packets.length > 0; packets = await session.poll()) all.push(...packets);
    return all.join('\n');
  }

  test('several packets in a body are several packets, whatever is in their strings', async () => {
    const session = await connect();
    const events = [1, 2, 3, 4].map((id) => `42${id}["chat",{"message":"no ${id} \\u001e 42[\\"x\\"]"}]`);
    expect((await session.post(events.join('\x1e'))).status).toBe(200);
    let acks = '';
    while ((acks.match(/"ok":true/g) ?? []).length < 4) acks += (await session.poll()).join('\n');
  });

  test.each([
    ['an empty body', ''],
    ['separators only', '\x1e\x1e\x1e'],
    ['a separator in the middle of a packet', '42["chat",{"mess\x1eage":"x"}]'],
    ['base64 that nobody asked for', 'bAAAA'],
    ['packets of nothing', '4\x1e4\x1e4'],
    ['100,000 packets of nothing', Array(100_000).fill('4').join('\x1e')],
    ['10,000 CONNECTs', Array(10_000).fill('40').join('\x1e')],
    ['garbage', 'garbage'],
    ['bytes', Buffer.from([0xff, 0xfe, 0, 1, 2])],
    ['a ping', '2'],
  ])('%s ends its session', async (_name, body) => {
    const session = await connect();
    expect((await session.post(body as string)).status).toBe(200);
    expect(await drain(session)).not.toContain('"ok":true');
  });

  test('a body over 256 KiB is 413, and binary bodies are 400', async () => {
    const session = await connect();
    expect((await session.post('4'.repeat(300_000))).status).toBe(413);
    const binary = new Blob(['x'], { type: 'application/octet-stream' });
    expect((await session.post(binary)).status).toBe(400);
  });

  test('two polls at once end the session', async () => {
    const session = await connect();
    const [one, two] = await Promise.all([session.poll(), session.poll()]);
    expect(one.length * two.length).toBe(0);
    expect((await session.post('42["chat",{"message":"x"}]')).status).toBe(400);
  });
});

test('an event sent before a close by the server is not carried out after it', async () => {
  const raw = await attack();
  const { conversation_id } = await raw.ask('chat', { message: 'first' });
  raw.send('4x');
  for (let turn = 0; turn < 20; turn += 1)
    raw.send(`42["chat",{"conversation_id":"${conversation_id}","message":"late"}]`);
  await raw.closed;
  const page = await server.call('GET', `/conversations/${conversation_id}/events?after_seq=0`, {
    token: mallory.token,
  });
  expect(page.body.last_seq).toBe(1);
});

test('an event behind a farewell in the same body is not carried out', async () => {
  const person = await server.signUp('farewell');
  const session = await PollingSession.connect(server.url, person.token);
  await session.post('41\x1e42["chat",{"message":"and one more thing"}]');
  const later = await server.call('POST', '/chat', { token: person.token, json: { message: 'stored after it' } });
  expect(later.status).toBe(201);
  const { body } = await server.call('GET', '/conversations', { token: person.token });
  expect(body.total).toBe(1);
});
