import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchangeHttp } from '../hostile/raw-http.ts';
import { PASSWORD } from '../support/start-http.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { withServer } from '../support/with-server.ts';

/** Where a login comes from, as its user is told. */
async function addressSeen(server: TestServer, forwarded: string): Promise<string> {
  const response = await fetch(`${server.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(forwarded && { 'x-forwarded-for': forwarded }) },
    body: JSON.stringify({ username: 'alice', password: PASSWORD }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  const { body } = await server.call('GET', '/auth/sessions', { token: access_token });
  return body.sessions.find(({ current }: { current: boolean }) => current).address;
}

describe('behind trusted proxies the address of a client is', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ settings: { TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8, fd00::/8' } });
    await server.signUp('alice');
  });
  afterAll(() => server.close());

  test.each([
    ['what the proxy heard', '203.0.113.9', '203.0.113.9'],
    ['the last that is no proxy, whatever the client invented before it', '1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['behind a chain of trusted proxies the one before them', '203.0.113.9, 10.1.2.3, fd00::7', '203.0.113.9'],
    ['no further back than an untrusted proxy', '203.0.113.9, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['of IPv6, too', '2001:db8::5', '2001:db8::5'],
    ['of IPv4, where the proxy wrote it as IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
    ['the first, where all are trusted', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ["the proxy's, where it says nothing", '', '127.0.0.1'],
    ["the last trusted proxy's, where what it says is no address", '203.0.113.9, unknown, 10.1.2.3', '10.1.2.3'],
    ['no text', '<script>"\\u0000', '127.0.0.1'],
    ['no address in another notation', '0x7f.1', '127.0.0.1'],
    ['found among 100', `${'1.2.3.4, '.repeat(98)}203.0.113.9, 10.0.0.1`, '203.0.113.9'],
    ['nothing of blanks', ' , ,, ', '127.0.0.1'],
  ])('%s', async (_what, forwarded, address) => {
    expect(await addressSeen(server, forwarded)).toBe(address);
  });
});

test('without trusted proxies nobody is believed, nor where another address is trusted', async () => {
  for (const TRUSTED_PROXIES of ['', '10.0.0.0/8,::1']) {
    await withServer({ settings: { TRUSTED_PROXIES } }, async (server) => {
      await server.signUp('alice');
      expect(await addressSeen(server, '203.0.113.9')).toBe('127.0.0.1');
    });
  }
});

test('each client of a trusted proxy has its own limit of handshakes, and is named in the log', async () => {
  const settings = { TRUSTED_PROXIES: '127.0.0.0/8', HANDSHAKES_PER_10S: '3' };
  await withServer({ settings }, async (server) => {
    const handshakes = async (address: string) => {
      const headers = { 'x-forwarded-for': `198.51.100.${Math.random()}, ${address}` };
      const ask = () => fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers });
      return (await Promise.all(Array.from({ length: 4 }, ask)))
        .map(({ status }) => status)
        .toSorted((one, other) => one - other);
    };
    expect(await handshakes('203.0.113.9')).toEqual([200, 200, 200, 429]);
    expect(await handshakes('2001:db8::1')).toEqual([200, 200, 200, 429]);
    expect(server.logged.join('')).toMatch(/"address":"203.0.113.9","code":"rate_limited"/);
  });
});

test('a good token gives its handshake back also by polling, where each request has a connection of its own', async () => {
  const settings = { TRUSTED_PROXIES: '127.0.0.0/8', HANDSHAKES_PER_10S: '2' };
  await withServer({ settings }, async (server) => {
    const { token } = await server.signUp('alice');
    for (let count = 0; count < 5; count += 1) {
      const path = '/socket.io/?EIO=4&transport=polling';
      const opened = await exchangeHttp(
        server.url,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n`,
      );
      const session = `${server.url}${path}&sid=${/"sid":"([^"]+)"/.exec(opened)?.[1]}`;
      await fetch(session, { method: 'POST', body: `40${JSON.stringify({ token })}` });
      expect(await (await fetch(session)).text()).toMatch(/^40/);
    }
  });
});

test("a page of the proxy's own host may connect, and no other page", async () => {
  const ask = async (server: TestServer, origin: string, host: string) => {
    const headers = { origin, 'x-forwarded-host': host };
    return (await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers })).status;
  };
  await withServer({ settings: { TRUSTED_PROXIES: '127.0.0.1' } }, async (server) => {
    expect(await ask(server, 'https://chat.example', 'chat.example')).toBe(200);
    expect(await ask(server, 'https://chat.example:8443', 'chat.example:8443, inner.example')).toBe(200);
    expect(await ask(server, 'https://evil.example', 'chat.example')).toBe(403);
    expect(await ask(server, 'https://evil.example', '')).toBe(403);
  });
  await withServer({}, async (server) => {
    expect(await ask(server, 'https://chat.example', 'chat.example')).toBe(403);
  });
});
