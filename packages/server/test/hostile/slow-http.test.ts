import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHttp, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
beforeAll(async () => void (http = await startHttp()));
afterAll(() => http.close());

test('500 connections that never end their headers are closed within 12 s while others are served', async () => {
  const slow = Array.from({ length: 500 }, () => connect(http.port, '127.0.0.1'));
  const started = performance.now();
  const ends = slow.map(async (connection) => {
    connection.on('error', () => undefined); // a reset is an end like any other
    connection.resume().write('POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    await once(connection, 'close');
    return performance.now() - started;
  });
  const dripping = setInterval(() => slow.forEach((connection) => connection.writable && connection.write('x')), 1_000);
  const answer = await http.call('POST', '/api/v1/auth/login', { json: { username: 'a', password: 'b' } });
  expect(answer.status).toBe(401);
  const times = await Promise.all(ends);
  clearInterval(dripping);
  expect(Math.min(...times)).toBeGreaterThan(5_000);
  expect(Math.max(...times)).toBeLessThan(13_000);
});
