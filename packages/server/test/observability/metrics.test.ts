import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reasonLabel } from '../../src/metrics.ts';
import { metricNames } from '../support/metric-names.ts';
import { startServer, type TestServer } from '../support/start-server.ts';

/** The samples of `/metrics` whose name and labels hold all of this. */
async function samples(server: TestServer, ...wanted: string[]): Promise<{ labels: string; value: number }[]> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#') && wanted.every((part) => line.includes(part)))
    .map((line) => ({
      labels: line.slice(0, line.lastIndexOf(' ')),
      value: Number(line.slice(line.lastIndexOf(' '))),
    }));
}

async function value(server: TestServer, ...wanted: string[]): Promise<number | undefined> {
  const found = await samples(server, ...wanted);
  return found[0]?.value;
}

test('a conversation is counted at each of its stations', async () => {
  const server = await startServer();
  const alice = await server.signUp('alice');
  const client = await server.connect(alice, { protocol: 1 });
  const base = await server.connect(alice);
  await client.ask('chat', { message: 'hello' });
  await client.next('conversation_event', ({ data }) => data.ends_task);
  await client.ask('chat', {});
  await client.ask('no such event', {});

  expect(await value(server, 'tertulia_connections{protocol="1"}')).toBe(1);
  expect(await value(server, 'tertulia_connections{protocol="0"}')).toBe(1);
  expect(await value(server, 'tertulia_ready')).toBe(1);
  expect(await value(server, 'tertulia_transports')).toBe(2);
  expect(await value(server, 'tertulia_deliverers')).toBe(1);
  expect(await value(server, 'tertulia_events_total{event="chat",result="ok"}')).toBe(1);
  expect(await value(server, 'tertulia_events_total{event="chat",result="invalid_payload"}')).toBe(1);
  expect(await value(server, 'tertulia_events_total{event="unknown",result="unknown_event"}')).toBe(1);
  expect(await value(server, 'tertulia_chat_ack_seconds_count')).toBe(1);
  expect(await value(server, 'tertulia_chat_first_token_seconds_count')).toBe(1);
  expect(await value(server, 'tertulia_chat_answer_seconds_count')).toBe(1);
  expect(await value(server, 'tertulia_tasks_ended_total{status="completed"}')).toBe(1);
  expect(await value(server, 'tertulia_tasks{state="running"}')).toBe(0);
  for (const queue of ['write', 'read', 'password']) {
    expect(await value(server, `tertulia_queue_depth{queue="${queue}"}`)).toBe(0);
  }
  expect(await value(server, 'tertulia_commit_batch_operations_sum')).toBeGreaterThanOrEqual(2);
  expect(await value(server, 'tertulia_commit_seconds_count')).toBeGreaterThanOrEqual(2);

  base.socket.disconnect();
  await expect.poll(() => value(server, 'reason="client namespace disconnect"')).toBe(1);
  expect(await value(server, 'tertulia_connections{protocol="0"}')).toBe(0);
  await server.close();
});

test('requests are counted by the route that took them, and never by what was asked for', async () => {
  const server = await startServer();
  const { token } = await server.signUp('alice');
  await server.call('GET', '/conversations/one-of-many', { token });
  await server.call('GET', '/conversations/another/', { token });
  for (const path of ['/nowhere', '/elsewhere', '/api/v1/nothing']) await fetch(server.url + path);
  await fetch(`${server.url}/livez`, { method: 'PROPFIND' });

  expect(await samples(server, 'tertulia_http_requests_total', 'conversations')).toEqual([
    {
      labels: 'tertulia_http_requests_total{method="GET",route="/api/v1/conversations/:conversation_id",status="404"}',
      value: 2,
    },
  ]);
  const others = await samples(server, 'tertulia_http_requests_total', 'route="none"');
  expect(others.map(({ labels }) => labels)).toEqual([
    'tertulia_http_requests_total{method="GET",route="none",status="404"}',
    expect.stringMatching(/method="other",route="none"/),
  ]);
  expect(await samples(server, 'one-of-many')).toEqual([]);
  expect(await samples(server, 'nowhere')).toEqual([]);
  await server.close();
});

test('names that clients invent make no new series', async () => {
  const server = await startServer();
  const client = await server.connect(await server.signUp('alice'), { protocol: 1 });
  await client.ask('first', {});
  const before = (await samples(server, 'tertulia_events_total')).length;
  for (let number = 0; number < 50; number += 1) await client.ask(`invented ${number}`, {});
  expect((await samples(server, 'tertulia_events_total')).length).toBe(before);
  expect(reasonLabel('transport close')).toBe('transport close');
  expect(reasonLabel('anything else')).toBe('other');
  await server.close();
});

test('every metric that the dashboard asks for is there', async () => {
  const there = await metricNames();
  const dashboard = readFileSync(new URL('../../../../deploy/grafana/tertulia.json', import.meta.url), 'utf8');
  const asked = new Set(
    Array.from(dashboard.matchAll(/\b((?:tertulia|nodejs|process)_\w+)/g), ([, name]) => name ?? ''),
  );
  asked.delete('tertulia_');
  expect(asked.size).toBeGreaterThan(20);
  const missing = [...asked].filter((name) => !there.has(name) && !there.has(name.replace(/_(bucket|sum|count)$/, '')));
  expect(missing).toEqual([]);
});

test('every metric of ours is on the dashboard', async () => {
  const dashboard = readFileSync(new URL('../../../../deploy/grafana/tertulia.json', import.meta.url), 'utf8');
  const ours = [...(await metricNames())].filter((name) => name.startsWith('tertulia_'));
  expect(ours.filter((name) => !dashboard.includes(name))).toEqual([]);
});
