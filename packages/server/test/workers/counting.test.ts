import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workers } from './workers.ts';

let server: Workers;
beforeAll(async () => void (server = await Workers.start(2, { CHAT_RATE: '1', CHAT_BURST: '20' })));
afterAll(() => server?.close());

test('a limit for one user counts what comes to all workers, and the metrics are those of all of them', async () => {
  const clients = await server.connectToEach(await server.signUp('alice'), { protocol: 1 });
  const sends = Array.from({ length: 40 }, (_, index) => clients[index % 2]!.ask('chat', { message: `no ${index}` }));
  const answers = await Promise.all(sends);
  expect(answers.filter(({ ok }) => ok)).toHaveLength(20);
  const refused = answers.find(({ ok }) => !ok);
  expect(refused.error).toMatchObject({ code: 'rate_limited', retry_after_ms: expect.any(Number) });
  for (let scrape = 0; scrape < 2; scrape += 1) {
    const page = await (await fetch(`${server.url}/metrics`, { headers: { connection: 'close' } })).text();
    expect(page).toContain('tertulia_workers 2\n');
    expect(page).toContain('tertulia_ready 1\n');
    expect(page).toContain('tertulia_connections{protocol="1"} 2\n');
    expect(page).toContain('tertulia_events_total{event="chat",result="ok"} 20\n');
    expect(page).toContain('tertulia_events_total{event="chat",result="rate_limited"} 20\n');
    expect(page).toContain('tertulia_commit_seconds_count');
  }
});

test('a limit for one address counts what comes to all workers', async () => {
  const attempts = Array.from({ length: 12 }, async () => {
    const json = { username: 'alice', password: 'not hers' };
    return (await server.call('POST', '/auth/login', { json })).status;
  });
  const other = await Workers.start(2, { LOGINS_PER_ACCOUNT: '10' });
  expect(new Set(await Promise.all(attempts))).toEqual(new Set([401]));
  await other.signUp('alice');
  const limited = Array.from({ length: 15 }, async () => {
    const json = { username: 'alice', password: 'not hers' };
    return (await other.call('POST', '/auth/login', { json })).status;
  });
  const statuses = await Promise.all(limited);
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  await other.close();
});
