import { expect, test } from 'vitest';
import { exchangeHttp } from '../hostile/raw-http.ts';
import type { TestServer } from '../support/start-server.ts';
import { withServer } from '../support/with-server.ts';

const TOKEN = 'a token for prometheus';
const PRODUCTION = { ENVIRONMENT: 'production', JWT_SECRET: 'dXNlZCBieSB0aGlzIHRlc3QgYW5kIG5vd2hlcmUgZWxzZQ==' };

async function get(server: TestServer, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(server.url + path, { headers });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type') ?? '', text };
}

test('a running server is alive and ready, under every address that is asked for it', async () => {
  await withServer({}, async (server) => {
    for (const path of ['/livez', '/api/v1/health', '/api/v1/health/']) {
      const { status, text } = await get(server, path);
      expect([status, JSON.parse(text)]).toEqual([
        200,
        { status: 'ok', version: '0.1.0', uptime_seconds: expect.any(Number) },
      ]);
    }
    for (const path of ['/readyz', '/api/v1/health/ready']) {
      expect(await get(server, path)).toMatchObject({ status: 200, text: '{"status":"ready"}' });
    }
  });
});

test('a load balancer may ask in HTTP/1.0, which needs no Host', async () => {
  await withServer({}, async (server) => {
    for (const path of ['/readyz', '/livez']) {
      expect(await exchangeHttp(server.url, `GET ${path} HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    }
  });
});

test('a server whose database is gone is alive but not ready, and says why', async () => {
  await withServer({}, async (server) => {
    await server.context.store.close();
    expect((await get(server, '/livez')).status).toBe(200);
    const { status, text } = await get(server, '/readyz');
    expect([status, JSON.parse(text)]).toEqual([
      503,
      { status: 'not_ready', reasons: ['The database does not take anything.'] },
    ]);
    expect((await get(server, '/metrics')).text).toContain('\ntertulia_ready 0\n');
  });
});

test('a server that stops is no longer ready', async () => {
  const { promise, resolve } = Promise.withResolvers();
  const assistant = {
    name: 'slow',
    reply: async function* () {
      yield 'a';
      await promise;
    },
  };
  await withServer({ assistant, nodes: 1 }, async (server) => {
    const alice = await server.signUp('alice');
    const socket = await server.connect(alice, { protocol: 1 });
    await socket.ask('chat', { message: 'hello' });
    await socket.next('response_delta');
    const stopped = server.stop();
    const response = await fetch(`${server.url}/readyz`);
    expect(response.status).toBe(503);
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.json()).toMatchObject({ reasons: ['The server is starting or stopping.'] });
    resolve(undefined);
    await stopped;
  });
});

test('in development everybody may read the metrics', async () => {
  await withServer({}, async (server) => {
    const { status, type, text } = await get(server, '/metrics');
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(text).toContain('tertulia_connections');
  });
});

test('with a token set only it opens the metrics; to others there is nothing', async () => {
  await withServer({ settings: { ...PRODUCTION, METRICS_TOKEN: TOKEN } }, async (server) => {
    const alice = await server.signUp('alice');
    const nothing = { ...(await get(server, '/nothing')) };
    for (const authorization of ['', 'Bearer x', `Bearer ${alice.token}`, `Basic ${TOKEN}`, `Bearer ${TOKEN} x`]) {
      expect(await get(server, '/metrics', { authorization })).toEqual(nothing);
    }
    expect(await get(server, `/metrics?token=${encodeURIComponent(TOKEN)}`)).toEqual(nothing);
    const token = TOKEN.replaceAll(' ', '');
    expect((await get(server, '/metrics', { authorization: `Bearer ${token}` })).status).toBe(404);
  });
});

test('the right token opens the metrics in production; without one set they are closed', async () => {
  const METRICS_TOKEN = 'one-token-for-prometheus';
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  await withServer({ settings: { ...PRODUCTION, METRICS_TOKEN } }, async (server) => {
    expect((await get(server, '/metrics', headers)).text).toContain('tertulia_connections');
  });
  await withServer({ settings: PRODUCTION }, async (server) => {
    expect((await get(server, '/metrics', headers)).status).toBe(404);
  });
});
