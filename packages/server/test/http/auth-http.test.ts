import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, startHttp, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
beforeAll(async () => void (http = await startHttp({ ALLOWED_ORIGINS: 'https://app.example.org' })));
afterAll(() => http.close());

/** Sends bytes as they are and reads until the other side closes. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(http.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined); // a reset after the answer is an end like any other
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);

test('an unknown address is 404, in the one form of errors', async () => {
  const answer = await http.call('GET', '/api/v1/no/such/thing');
  expect([answer.status, answer.body.error]).toEqual([404, 'not_found']);
  expect(answer.headers.get('content-type')).toMatch('application/json');
});

describe('a method that an address does not take', () => {
  test('is 405 with those it takes', async () => {
    const answer = await http.call('GET', '/api/v1/auth/login');
    expect([answer.status, answer.body.error]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
    const me = await http.call('DELETE', '/api/v1/auth/me/');
    expect([me.status, me.headers.get('allow')]).toEqual([405, 'GET, PUT, HEAD, OPTIONS']);
    const one = await http.call('GET', '/api/v1/auth/sessions/some-id');
    expect([one.status, one.headers.get('allow')]).toEqual([405, 'DELETE, OPTIONS']);
  });

  test.each(['TRACE', 'PROPFIND', 'PURGE', 'NONSENSE'])('%s is 405 on any address', async (method) => {
    for (const path of ['/api/v1/auth/me', '/nothing']) {
      const answer = await raw(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(statusOf(answer)).toBe(405);
      expect(answer).toMatch(/\r\nAllow: /i);
    }
  });

  test('CONNECT is 405', async () => {
    expect(statusOf(await raw('CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n'))).toBe(405);
  });
});

test('HEAD answers as GET does, without the body', async () => {
  const { access_token: token } = await http.signUp('header');
  const answer = await http.call('HEAD', '/api/v1/auth/me', { token });
  expect([answer.status, answer.body]).toEqual([200, '']);
  expect((await http.call('HEAD', '/api/v1/auth/me')).status).toBe(401);
});

test('every answer carries the headers that keep browsers from guessing and framing', async () => {
  const answers = [
    await http.call('POST', '/api/v1/auth/login', { json: { username: 'a', password: 'b' } }),
    await http.call('GET', '/api/v1/nothing'),
    await http.call('GET', '/openapi.json'),
    await http.call('PUT', '/api/v1/auth/login'),
  ];
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  }
});

describe('cross-origin requests', () => {
  const login = (origin: string) =>
    http.call('POST', '/api/v1/auth/login', { json: { username: 'a', password: 'b' }, headers: { origin } });

  test('an allowed origin may read answers, errors too, without credentials', async () => {
    const answer = await login('https://app.example.org');
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.org');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('vary')).toMatch(/Origin/);
  });

  test.each([
    'https://evil.example',
    'null',
    'https://app.example.org.evil.example',
    'http://app.example.org',
    'https://APP.example.org/',
  ])('the origin %s may not', async (origin) =>
    expect((await login(origin)).headers.get('access-control-allow-origin')).toBeNull(),
  );

  test('a preflight is answered for the allowed origin alone', async () => {
    const preflight = (origin: string) =>
      http.call('OPTIONS', '/api/v1/auth/me', {
        headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' },
      });
    const allowed = await preflight('https://app.example.org');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.org');
    expect(allowed.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a body over 256 KiB', () => {
  const large = JSON.stringify({ username: 'a', password: 'b', filler: 'x'.repeat(262_144) });
  const headers = { 'content-type': 'application/json' };

  test('is refused by its stated length', async () => {
    const answer = await http.call('POST', '/api/v1/auth/login', { body: large, headers });
    expect([answer.status, answer.body.error, answer.body.limit]).toEqual([413, 'too_large', '262144 bytes']);
  });

  test('is refused while it comes in chunks', async () => {
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    const answer = await raw(
      `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}0\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(413);
  });

  test('just under the limit is read', async () => {
    const fits = JSON.stringify({ username: 'a', password: 'b', filler: 'x'.repeat(262_000) });
    expect((await http.call('POST', '/api/v1/auth/login', { body: fits, headers })).status).toBe(401);
  });
});

describe('what is no proper HTTP', () => {
  const login = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

  test('a request with two lengths, or a length and chunks, is 400', async () => {
    expect(statusOf(await raw(`${login}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{"a":1`))).toBe(400);
    const both = `${login}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/auth/me HTTP/1.1\r\n\r\n`;
    expect(statusOf(await raw(both))).toBe(400);
    expect(statusOf(await raw(`${login}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`))).toBe(400);
  });

  test('a header line of 64 KB is 431', async () => {
    expect(statusOf(await raw(`${login}X-Large: ${'x'.repeat(65_536)}\r\n\r\n`))).toBe(431);
  });

  test('101 headers are refused, 90 are not', async () => {
    const some = (count: number) => Array.from({ length: count }, (_, index) => `A${index}: b\r\n`).join('');
    const get = 'GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
    expect(statusOf(await raw(`${get}${some(90)}\r\n`))).toBe(200);
    expect(statusOf(await raw(`${get}${some(101)}\r\n`))).toBe(431);
    expect(statusOf(await raw(`${get}${some(2_500)}\r\n`))).toBe(431);
  });

  test.each(['Host: local host', 'Host: a@b', 'Host: ', 'X: y'])(
    'a request with the host line %j is 400',
    async (line) => {
      expect(statusOf(await raw(`GET /api/v1/auth/me HTTP/1.1\r\n${line}\r\nConnection: close\r\n\r\n`))).toBe(400);
    },
  );

  test('bytes of another protocol get one short answer', async () => {
    expect(statusOf(await raw('\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n'))).toBe(400);
  });

  test('a path that cannot be decoded is no crash', async () => {
    for (const path of [
      '/api/v1/auth/sessions/%',
      '/%00',
      '/%ff',
      '/../../etc/passwd',
      '/api/v1/auth/sessions/..%2f..%2fx',
    ]) {
      const status = statusOf(await raw(`DELETE ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
      expect([path, [400, 401, 404, 405].includes(status)]).toEqual([path, true]);
    }
  });
});

test('an error of our own becomes a reference that is also in the log, and nothing else', async () => {
  const broken = await startHttp();
  await broken.signUp('unlucky');
  broken.sql('UPDATE passwords SET hash = ?', 'not a hash');
  const answer = await broken.call('POST', '/api/v1/auth/login', { json: { username: 'unlucky', password: PASSWORD } });
  expect(answer.status).toBe(500);
  expect(Object.keys(answer.body).toSorted()).toEqual(['detail', 'error', 'reference']);
  expect(answer.body.error).toBe('internal_error');
  expect(broken.logged.some((line) => line.includes(answer.body.reference) && line.includes('hash'))).toBe(true);
  await broken.close();
});

test('while the database is away the answer is 503 and says to try again', async () => {
  const away = await startHttp();
  const { access_token: token } = await away.signUp('waiting');
  await away.closeStore();
  const answer = await away.call('GET', '/api/v1/auth/me', { token });
  expect([answer.status, answer.body.error]).toEqual([503, 'unavailable']);
  await away.close();
});

test('the OpenAPI document lists every route with its refusals and needs no network', async () => {
  const { body, status } = await http.call('GET', '/openapi.json');
  expect([status, body.openapi]).toEqual([200, '3.1.0']);
  const operations = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(operations).toContain('post /api/v1/auth/login');
  expect(operations).toContain('delete /api/v1/auth/sessions/{session_id}');
  expect(body.components.securitySchemes.bearer.scheme).toBe('bearer');
  expect(body.paths['/api/v1/auth/me'].get.security).toEqual([{ bearer: [] }]);
  expect(Object.keys(body.paths['/api/v1/auth/login'].post.responses)).toEqual([
    '200',
    '401',
    '422',
    '429',
    '500',
    '503',
  ]);
  const references = [...JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!);
  for (const name of references) expect(body.components.schemas).toHaveProperty(name);
});
