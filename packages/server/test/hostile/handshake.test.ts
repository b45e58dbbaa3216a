import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startAttacked, type Attacked } from './attacked.ts';
import { PollingSession } from './polling-session.ts';

let server: Attacked;
beforeAll(async () => {
  server = await startAttacked();
});
afterEach(() => server.expectUnharmed());
afterAll(() => server.close());

const nest = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

/** What is sent for `auth`, as JSON; absent where there is none at all. */
const AUTHS: [string, string][] = [
  ['no auth', ''],
  ['an empty object', '{}'],
  ['an empty token', '{"token":""}'],
  ['a token that is null', '{"token":null}'],
  ['a number', '{"token":7}'],
  ['an array of tokens', '{"token":["a"]}'],
  ['an object', '{"token":{"$ne":null}}'],
  ['an object with its own toString', '{"token":{"toString":"x","length":1}}'],
  ['a token of 9 KB', `{"token":"${'x'.repeat(9_000)}"}`],
  ['a token nested 4,000 deep', `{"token":${nest(4_000)}}`],
  ['auth nested 8,000 deep', `{"x":${nest(7_000)},"token":"y"}`],
  ['a polluted prototype', '{"__proto__":{"token":"x"},"constructor":{"prototype":{"token":"x"}}}'],
  ['a token with NUL and line breaks', '{"token":"a\\u0000b\\r\\n{}"}'],
  ["somebody else's idea of recovery", '{"pid":"x","offset":"y"}'],
];

describe('a handshake with', () => {
  test('nothing that is a token is unauthorized, and closed within a second', async () => {
    await Promise.all(
      AUTHS.map(async ([name, auth]) => {
        const raw = await server.stranger();
        const sent = performance.now();
        raw.send(`40${auth}`);
        const refusal = JSON.parse((await raw.next((text) => text.startsWith('44'))).slice(2));
        expect(refusal, name).toMatchObject({ message: 'unauthorized', data: { error: 'unauthorized' } });
        await raw.closed;
        expect(performance.now() - sent, name).toBeLessThan(2_000); // 300 ms here; the promise is a second
      }),
    );
  });

  test('no good token by polling is unauthorized, and its session is over', async () => {
    const session = await PollingSession.open(server.url);
    await session.post('40{"token":"x"}');
    expect((await session.poll()).join()).toContain('unauthorized');
    let packets = ['more'];
    while (packets.length > 0) packets = await session.poll();
    expect((await session.post('40{"token":"x"}')).status).toBe(400);
  });

  test('auth that is no object closes the connection', async () => {
    for (const auth of ['[]', '"token"', '7', 'null', '{', '{"token":"x"}x', '0', '5-']) {
      const raw = await server.stranger();
      raw.send(`40${auth}`);
      await raw.closed;
    }
  });

  test('a token of 1 MB closes the connection by the message size', async () => {
    const raw = await server.stranger();
    raw.send(`40{"token":"${'x'.repeat(1_000_000)}"}`);
    expect(await raw.closed).toBe(1009);
    const session = await PollingSession.open(server.url);
    expect((await session.post(`40{"token":"${'x'.repeat(1_000_000)}"}`)).status).toBe(413);
  });

  test('a good token is taken also beside what nobody asked for', async () => {
    const { token } = await server.signUp('with-more');
    const raw = await server.stranger();
    raw.send(`40${JSON.stringify({ token, user_id: 'x', role: 'admin', is_superuser: true, protocol: 1 })}`);
    const connected = await raw.next((text) => text.startsWith('42["connected"'));
    expect(connected).not.toMatch(/admin|superuser|token|127\.0\.0\.1/);
    expect(connected).not.toContain(raw.sid);
  });
});

describe('before its login a connection', () => {
  test.each(['42["chat",{"message":"hi"}]', '421["sync",{}]', '41', '43[]', '451-["x",{"_placeholder":true,"num":0}]'])(
    'that sends %s is closed',
    async (packet) => {
      const raw = await server.stranger();
      raw.send(packet);
      if (packet.startsWith('45')) raw.send(Buffer.from('x'));
      await raw.closed;
    },
  );

  test('may send an access token and its surroundings, and no more in one message', async () => {
    const raw = await server.stranger();
    raw.send('x'.repeat(20_000));
    expect(await raw.closed).toBe(1009);
    const session = await PollingSession.open(server.url);
    expect((await session.post('x'.repeat(20_000))).status).toBe(413);
  });

  test('that never logs in is closed within its 5 s', async () => {
    const [raw, session] = await Promise.all([server.stranger(), PollingSession.open(server.url)]);
    const opened = performance.now();
    await raw.closed;
    expect(performance.now() - opened).toBeLessThan(8_000);
    let packets = ['more'];
    while (packets.length > 0) packets = await session.poll();
  });
});

describe('a socket connects once', () => {
  test('a second CONNECT ends the connection, before and after the first is answered', async () => {
    const { raw, person } = await server.attacker('twice');
    raw.send(`40${JSON.stringify({ token: person.token })}`);
    await raw.closed;
    const hasty = await server.stranger();
    hasty.send(`40${JSON.stringify({ token: person.token })}`);
    hasty.send(`40${JSON.stringify({ token: person.token })}`);
    await hasty.closed;
    expect(hasty.received.join()).not.toContain('connected');
  });

  test('a body of 1,000 CONNECTs is refused once', async () => {
    const session = await PollingSession.open(server.url);
    await session.post(Array.from({ length: 1_000 }, () => '40{}').join('\x1e'));
    const packets = await session.poll();
    expect(packets.filter((packet) => packet.startsWith('44')).length).toBeLessThanOrEqual(1);
  });

  test.each(['/admin', '/__proto__', '/constructor', `/${'n'.repeat(10_000)}`, '/socket.io', '/\u0000'])(
    'and to no other namespace than the one there is',
    async (namespace) => {
      const { token } = await server.signUp(`namespace-${randomUUID()}`);
      const raw = await server.stranger();
      raw.send(`40${namespace},${JSON.stringify({ token })}`);
      expect(await raw.next((text) => text.startsWith('44'))).toContain('Invalid namespace');
      raw.send(`40${JSON.stringify({ token })}`);
      await raw.closed;
    },
  );

  test('a transport whose socket has left is closed: it would be counted nowhere', async () => {
    const { raw } = await server.attacker('leaver');
    raw.send('41');
    await raw.closed;
  });
});
