import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startAttacked, type Attacked } from './attacked.ts';
import { PollingSession } from './polling-session.ts';
import { exchangeHttp } from './raw-http.ts';
import { RawSocket, RefusedUpgrade } from './raw-socket.ts';

let server: Attacked;
beforeAll(async () => {
  server = await startAttacked({ settings: { ALLOWED_ORIGINS: 'https://chat.example' } });
});
afterEach(() => server.expectUnharmed());
afterAll(() => server.close());

const POLLING = 'EIO=4&transport=polling';
const WEBSOCKET = 'EIO=4&transport=websocket';

async function poll(query = POLLING, init: RequestInit = {}) {
  const response = await fetch(`${server.url}/socket.io/?${query}`, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** The status and body of a refused upgrade; 101 where it was not. */
async function upgrade(query = WEBSOCKET, headers: Record<string, string> = {}) {
  try {
    const raw = await RawSocket.open(server.url, { query, headers });
    raw.close();
    return { status: 101, body: '' };
  } catch (error) {
    if (error instanceof RefusedUpgrade) return error;
    throw error;
  }
}

describe('a page of a foreign origin', () => {
  const FOREIGN = ['https://evil.example', 'null', 'http://chat.example', 'https://chat.example.evil', 'x', '//'];

  test.each(FOREIGN)('"%s" gets 403 and no session, by polling and by WebSocket', async (origin) => {
    const polled = await poll(POLLING, { headers: { origin } });
    expect(polled.status).toBe(403);
    expect(JSON.parse(polled.text)).toMatchObject({ error: 'origin_not_allowed', detail: expect.any(String) });
    expect(polled.text).not.toContain('sid');
    const { status, body } = await upgrade(WEBSOCKET, { origin });
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({ error: 'origin_not_allowed' });
  });

  test('cannot go on with a session that somebody else opened', async () => {
    const { sid } = await PollingSession.open(server.url);
    const headers = { origin: 'https://evil.example' };
    expect((await poll(`${POLLING}&sid=${sid}`, { headers })).status).toBe(403);
    expect((await poll(`${POLLING}&sid=${sid}`, { headers, method: 'POST', body: '40' })).status).toBe(403);
    expect((await upgrade(`${WEBSOCKET}&sid=${sid}`, headers)).status).toBe(403);
  });
});

test('a listed origin, the own origin and a client that is no page may connect', async () => {
  for (const origin of ['https://chat.example', server.url]) {
    expect((await poll(POLLING, { headers: { origin } })).status).toBe(200);
    expect((await upgrade(WEBSOCKET, { origin })).status).toBe(101);
  }
  expect((await upgrade()).status).toBe(101);
});

test.each(['token', 'access_token', 'auth', 'Token', 'Authorization', 'jwt'])(
  'a token in the address as "%s" is refused and never logged',
  async (name) => {
    const { token } = await server.signUp(`in-address-${randomUUID()}`); // expectUnharmed searches the log for it
    expect((await poll(`${POLLING}&${name}=${token}`)).status).toBe(401);
    expect((await upgrade(`${WEBSOCKET}&${name}=${token}`)).status).toBe(401);
  },
);

describe('what is no Engine.IO 4', () => {
  test.each([
    ['no query', ''],
    ['EIO=3', 'EIO=3&transport=polling'],
    ['no EIO', 'transport=polling'],
    ['an unknown transport', 'EIO=4&transport=carrier-pigeon'],
    ['a transport named like what every object has', 'EIO=4&transport=__proto__'],
    ['webtransport', 'EIO=4&transport=webtransport'],
    ['an unknown session', `${POLLING}&sid=AAAAAAAAAAAAAAAAAAAA`],
    ['a session named like what every object has', `${POLLING}&sid=__proto__`],
    ['a path for a session', `${POLLING}&sid=../../etc/passwd`],
    ['a session of 7 KB', `${POLLING}&sid=${'A'.repeat(7_000)}`],
  ])('%s is 400', async (_name, query) => {
    const { status, text } = await poll(query);
    expect(status).toBe(400);
    expect(text.length).toBeLessThan(300);
    expect((await upgrade(query)).status).toBe(400);
  });

  test('a WebSocket without an upgrade is answered, not left hanging', async () => {
    const raw = await server.stranger();
    expect((await poll(WEBSOCKET)).status).toBe(400);
    expect((await poll(`${WEBSOCKET}&sid=${raw.sid}`)).status).toBe(400);
  });

  test('methods that Socket.IO does not have are 405, with and without a session', async () => {
    const { sid } = await PollingSession.open(server.url);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD', 'PROPFIND']) {
      for (const query of [POLLING, `${POLLING}&sid=${sid}`]) {
        const { status, headers } = await poll(query, { method });
        expect(status, method).toBe(405);
        expect(headers.get('allow')).toBe('GET, POST, OPTIONS');
      }
    }
  });

  test('an upgrade at any other address is refused and its connection closed', async () => {
    const head = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    for (const path of ['/', '/socket.io', '/api/v1/auth/me', '//socket.io/', '/static/../socket.io/']) {
      const answer = await exchangeHttp(server.url, `GET ${path} HTTP/1.1\r\nHost: x\r\n${head}\r\n`);
      expect(answer, path).toMatch(/^HTTP\/1\.1 404 /);
    }
  });

  test('a session is over once it was closed', async () => {
    const session = await PollingSession.open(server.url);
    expect((await session.post('1')).status).toBe(200);
    expect((await session.post('40')).status).toBe(400);
    expect(await session.poll()).toEqual([]);
  });
});

test('whoever only knows a cookie is nobody', async () => {
  const { token } = await server.signUp('cookie');
  const raw = await server.stranger({ headers: { cookie: `token=${token}; access_token=${token}; io=${token}` } });
  raw.send('40');
  expect(await raw.next((text) => text.startsWith('44'))).toContain('unauthorized');
  await raw.closed;
});

test('a session id names its node, and is else 128 random bits', async () => {
  const sids = await Promise.all(Array.from({ length: 20 }, async () => (await PollingSession.open(server.url)).sid));
  const { NODE_ID } = server.context.config;
  for (const sid of sids) expect(sid).toMatch(new RegExp(`^${NODE_ID}\\.[\\w-]{22}$`));
  expect(new Set(sids).size).toBe(20);
});

test('a session id tells nothing and is never shown to another', async () => {
  const { raw, person } = await server.attacker('sid-owner');
  const other = await server.connect(person, { protocol: 1 });
  const { conversation_id } = await raw.ask('chat', { message: 'hello' });
  await other.ask('join_conversation', { conversation_id, after_seq: 0 });
  expect(JSON.stringify(other.received)).not.toContain(raw.sid);
  const wrong = raw.sid.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  const answers = await Promise.all([poll(`${POLLING}&sid=${wrong}`), poll(`${POLLING}&sid=never-was`)]);
  expect(answers[0].text).toBe(answers[1].text);
});

describe('an address that opens too many transports', () => {
  test('gets 429 and when to try again, by polling and by WebSocket, whatever it says of itself', async () => {
    const limited = await startAttacked({ settings: { HANDSHAKES_PER_10S: '20' } });
    const address = `${limited.url}/socket.io/?${POLLING}`;
    const statuses: number[] = [];
    for (let count = 0; count < 30; count += 1) {
      const spoofed = {
        'x-forwarded-for': `10.0.0.${count}`,
        forwarded: `for=10.0.0.${count}`,
        'x-real-ip': '10.1.1.1',
      };
      statuses.push((await fetch(count % 2 ? address : `${address}&sid=x&sid=`, { headers: spoofed })).status);
    }
    expect(statuses.indexOf(429)).toBe(20);
    expect(new Set(statuses.slice(20))).toEqual(new Set([429]));
    const refused = await fetch(`${address}#&sid=1`);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      error: 'rate_limited',
      limit: '20 handshakes in 10 s',
      retry_after_ms: expect.any(Number),
    });
    await expect(RawSocket.open(limited.url)).rejects.toMatchObject({ status: 429 });
    await limited.expectUnharmed();
    await limited.close();
  });

  test('is not counted where its tokens are good', async () => {
    const limited = await startAttacked({ settings: { HANDSHAKES_PER_10S: '5' } });
    const person = await limited.signUp('often');
    for (let count = 0; count < 12; count += 1) (await RawSocket.connect(limited.url, person.token)).close();
    await limited.close();
  });
});
