import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD } from '../support/start-server.ts';
import { RawSocket } from './raw-socket.ts';
import { Victim } from './victim.ts';

const FLOOD_MS = 2_000;

let victim: Victim;
let tokens: string[];
beforeAll(async () => {
  victim = await Victim.start();
  tokens = await Promise.all(Array.from({ length: 8 }, (_, index) => victim.signUp(`flooder-${index}`)));
}, 60_000);
afterAll(() => victim.stop());

const count = (frames: readonly string[], part: string) => frames.filter((frame) => frame.includes(part)).length;

/** Sends the same frame as fast as it is taken, and comes back each time it is closed, as long as it is let in. */
async function flood(token: string, packet: string): Promise<void> {
  const end = performance.now() + FLOOD_MS;
  while (performance.now() < end) {
    const raw = await RawSocket.connect(victim.url, token).catch(() => null);
    if (!raw) continue;
    while (raw.webSocket.readyState === raw.webSocket.OPEN && performance.now() < end) {
      for (let turn = 0; turn < 500; turn += 1) raw.send(packet);
      await delay(5); // lets this process read, and what is sent go
    }
    raw.close();
  }
}

test('a thousand messages a second from one socket, for seconds: each is answered, nobody else waits', async () => {
  const raw = await RawSocket.connect(victim.url, tokens[0]!);
  await victim.under(150, async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      for (let id = 0; id < 100; id += 1) raw.send(`42${turn * 100 + id}["chat",{"message":"flood"}]`);
      await delay(FLOOD_MS / 20);
    }
    for (let id = 0; id < 2_000; id += 1) await raw.next((text) => text.startsWith(`43${id}[`));
  });
  expect(count(raw.received, '"ok":true')).toBeLessThan(200);
  expect(count(raw.received, '"rate_limited"')).toBe(count(raw.received, '"retry_after_ms"'));
  raw.close();
});

test('packets of 240 KB: nested brackets, many keys, long strings', async () => {
  const large = [
    `["chat",{"metadata":${'['.repeat(120_000)}${']'.repeat(120_000)}}]`,
    JSON.stringify(['chat', Object.fromEntries(Array.from({ length: 20_000 }, (_, key) => [`k${key}`, 1]))]),
    JSON.stringify(['chat', { message: 'x'.repeat(240_000) }]),
    JSON.stringify(['chat', { message: 'x', metadata: { a: Array.from({ length: 100_000 }, () => 1) } }]),
  ];
  await victim.under(150, () =>
    Promise.all(
      large.map(async (json, index) => {
        const raw = await RawSocket.connect(victim.url, tokens[index]!);
        for (let id = 0; id < 40; id += 1) raw.send(`42${id}${json}`);
        for (let id = 0; id < 40; id += 1) await raw.next((text) => text.startsWith(`43${id}[`));
        expect(count(raw.received, '"ok":true')).toBe(0);
        raw.close();
      }),
    ),
  );
});

test.each([
  ['messages', '42["chat",{"message":"flood"}]'],
  ['unknown events', '42["x"]'],
  ['acknowledgements', '43999["x"]'],
  ['binary headers', '451-["chat",{}]'],
])('ten sockets of one user that flood with %s and come back each time', async (_name, packet) => {
  await victim.under(150, () => Promise.all(Array.from({ length: 10 }, () => flood(tokens[1]!, packet))));
});

test('eight users of one address at once', async () => {
  await victim.under(150, () => Promise.all(tokens.map((token) => flood(token, '42["chat",{"message":"flood"}]'))));
});

test('200 sign-ins at once: chat goes on between the hashes', async () => {
  await victim.signUp('crowd');
  const body = JSON.stringify({ username: 'crowd', password: PASSWORD });
  const headers = { 'content-type': 'application/json' };
  const logIn = () => fetch(`${victim.url}/api/v1/auth/login`, { method: 'POST', headers, body });
  await victim.under(300, async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, logIn));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});
