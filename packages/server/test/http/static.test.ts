import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listFiles } from '../../src/http/files.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { withServer } from '../support/with-server.ts';

let server: TestServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.close());

const PAGE = '/static/socketio_test.html';

/** Past `fetch`, which tidies a path before it asks. */
function statusOf(path: string): Promise<number> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject).end();
  });
}

test('the test page comes under a strict policy, and everything that it names is there', async () => {
  const response = await fetch(server.url + PAGE);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('content-security-policy')?.split('; ').toSorted()).toEqual([
    "base-uri 'none'",
    "connect-src 'self' ws: wss:",
    "default-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ]);
  const page = await response.text();
  const named = [...page.matchAll(/(?:href|src)="([^"#][^"]*)"/g)].map(
    ([, address]) => new URL(address ?? '', response.url),
  );
  expect(named.length).toBeGreaterThan(3);
  for (const { href } of named) expect((await fetch(href)).status, href).toBe(200);
});

test.each([
  ['socketio_test.css', 'text/css; charset=utf-8'],
  ['test-page/main.js', 'text/javascript; charset=utf-8'],
  ['test-page/icon.svg', 'image/svg+xml'],
  ['socket.io.esm.min.js', 'text/javascript; charset=utf-8'],
])('%s comes as what it is, and once only', async (name, type) => {
  const first = await fetch(`${server.url}/static/${name}`);
  expect([first.status, first.headers.get('content-type')]).toEqual([200, type]);
  const etag = first.headers.get('etag') ?? '';
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await fetch(first.url, { headers: { 'if-none-match': known } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  }
  const changed = await fetch(first.url, { headers: { 'if-none-match': '"other"' } });
  expect([changed.status, (await changed.text()).length > 0]).toEqual([200, true]);
});

test('Socket.IO’s client of the page is the one that the server was installed with, without a source map', async () => {
  const text = await (await fetch(`${server.url}/static/socket.io.esm.min.js`)).text();
  expect(text).toMatch(/Socket\.IO v4\.8/);
  expect(await statusOf('/static/socket.io.esm.min.js.map')).toBe(404);
});

test.each([
  '/static/',
  '/static/test-page',
  '/static/../package.json',
  '/static/..%2fpackage.json',
  '/static/%2e%2e/package.json',
  '/static/test-page/../../package.json',
  '/static//etc/passwd',
  '/static/%00',
  '/static/.env',
  '/static/.git/config',
  '/static/docs/page.css',
  '/static/constructor',
  '/static/__proto__',
  '/docs/../package.json',
  '/docs/.env',
  '/docs/page.css.map',
])('there is nothing at %s', async (path) => {
  expect(await statusOf(path)).toBe(404);
});

test('a folder that is served gives away nothing hidden, linked or of a kind that is not for browsers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tertulia-static-'));
  await mkdir(join(folder, 'below', '.git'), { recursive: true });
  await mkdir(join(folder, '.hidden'));
  const names = [
    'page.html',
    'below/page.css',
    '.env.js',
    '.hidden/page.js',
    'below/.git/page.js',
    'page.js.map',
    'env',
  ];
  for (const name of names) await writeFile(join(folder, name), '');
  await symlink('/etc/hostname', join(folder, 'linked.html'));
  await symlink('/etc', join(folder, 'linked'));
  expect([...listFiles(folder).keys()].toSorted()).toEqual(['below/page.css', 'page.html']);
  await rm(folder, { recursive: true });
});

test('only reading is taken', async () => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    expect((await fetch(server.url + PAGE, { method })).status).toBe(405);
  }
  expect((await fetch(server.url + PAGE, { method: 'HEAD' })).status).toBe(200);
});

test('production has no test page unless it is told to', async () => {
  const settings = { ENVIRONMENT: 'production', JWT_SECRET: 'dXNlZCBieSB0aGlzIHRlc3QgYW5kIG5vd2hlcmUgZWxzZQ==' };
  await withServer({ settings }, async ({ url }) => {
    expect((await fetch(url + PAGE)).status).toBe(404);
    expect(await (await fetch(`${url}/`, { headers: { accept: 'text/html' } })).text()).not.toContain('/static/');
    expect((await fetch(`${url}/docs/page.css`)).status).toBe(200);
  });
  await withServer({ settings: { ...settings, TEST_PAGE: '1' } }, async ({ url }) => {
    expect((await fetch(url + PAGE)).status).toBe(200);
  });
  await withServer({ settings: { TEST_PAGE: '0' } }, async ({ url }) => {
    expect((await fetch(url + PAGE)).status).toBe(404);
  });
});
