import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHttp, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
beforeAll(async () => void (http = await startHttp()));
afterAll(() => http.close());

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

test.each(['/socketio_test.html', '/static/nothing.html', '/docs/nothing'])(
  '%s is a page with a way back in a browser, under the policy of pages',
  async (path) => {
    const { status, headers, body } = await http.call('GET', path, { headers: { accept: BROWSER } });
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; style-src 'self'");
    expect(headers.get('vary')).toMatch(/Accept\b/);
    expect(body).toContain('There is no page at this address.');
    expect(body).toContain('href="/"');
  },
);

test.each(['application/json', '*/*'])('and JSON for a program that accepts %s', async (accept) => {
  const { status, body } = await http.call('GET', '/api/v1/nowhere', { headers: { accept } });
  expect([status, body]).toEqual([404, { detail: 'There is no page at this address.', error: 'not_found' }]);
});

test('a method that the address does not take is told which it takes', async () => {
  const { status, headers, body } = await http.call('GET', '/api/v1/auth/login');
  expect([status, headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  expect(body).toEqual({ detail: 'This address takes POST, OPTIONS only.', error: 'method_not_allowed' });
});

test.each([
  ['/api/v1/auth/login', {}, 'The body has no content type: send application/json'],
  [
    '/api/v1/auth/login',
    { 'content-type': 'text/plain' },
    'This content type is not taken here: send application/json',
  ],
  ['/api/v1/auth/token', {}, 'The body has no content type: send application/x-www-form-urlencoded'],
])('POST %s with %j says what to send', async (path, headers, msg) => {
  const body = new TextEncoder().encode('{"username":"ada","password":"x"}'); // bytes have no type of their own
  const answer = await http.call('POST', path, { body, headers });
  expect([answer.status, answer.body.detail]).toEqual([
    422,
    [{ loc: ['header', 'content-type'], msg, type: 'content_type' }],
  ]);
});

test('the icon is where browsers look for it', async () => {
  const { status, headers } = await http.call('GET', '/favicon.ico');
  expect([status, headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
});
