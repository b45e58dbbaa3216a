import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientEvents, SPOKEN_PROTOCOLS } from '@tertulia/protocol';
import { startServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.close());

test('/socket-info says how to connect and what is spoken, and nothing secret', async () => {
  const info = await (await fetch(`${server.url}/socket-info`)).json();
  expect(info).toMatchObject({
    name: 'Tertulia',
    socketio: { path: '/socket.io/', namespace: '/', transports: ['polling', 'websocket'] },
    protocols: [...SPOKEN_PROTOCOLS],
    client_events: Object.keys(clientEvents),
    server_events: { base: expect.arrayContaining(['conversation', 'error']) },
    limits: { message_code_points: 16_000 },
    links: { docs: '/docs', test_page: '/static/socketio_test.html' },
  });
  expect(JSON.stringify(info)).not.toContain(server.directory);
});

test('every link of /socket-info leads somewhere', async () => {
  const { links } = (await (await fetch(`${server.url}/socket-info`)).json()) as { links: Record<string, string> };
  for (const link of Object.values(links)) expect((await fetch(server.url + link)).status, link).toBe(200);
});

test('the first page greets browsers in HTML and programs in JSON', async () => {
  const browser = await fetch(`${server.url}/`, { headers: { accept: 'text/html,*/*;q=0.8' } });
  expect(browser.headers.get('content-type')).toMatch(/^text\/html/);
  expect(browser.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(browser.headers.get('vary')).toMatch(/accept/i);
  const page = await browser.text();
  expect(page).toContain('href="/static/socketio_test.html"');
  const links = [...page.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, link]) => link);
  expect(links.length).toBeGreaterThan(4);
  for (const link of links) expect((await fetch(server.url + link)).status, link).toBe(200);
  const program = await fetch(`${server.url}/`);
  expect(await program.json()).toMatchObject({
    name: 'Tertulia',
    version: '0.1.0',
    links: { openapi: '/openapi.json' },
  });
});
