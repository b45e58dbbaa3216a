import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startAttacked, type Attacked } from './attacked.ts';
import type { RawSocket } from './raw-socket.ts';

let server: Attacked;
let raw: RawSocket;
beforeAll(async () => {
  server = await startAttacked();
  ({ raw } = await server.attacker('mallory'));
});
afterEach(() => server.expectUnharmed());
afterAll(() => server.close());

const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
const OTHERS = ['error', 'end', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'data', '', 'conversation'];

describe.each([...RESERVED, ...OTHERS])('the event "%s"', (name) => {
  test('is unknown, with an acknowledgement and without, and closes nothing', async () => {
    expect(await raw.ask(name, {})).toMatchObject({ ok: false, error: { code: 'unknown_event', event: name } });
    raw.send(`42${JSON.stringify([name, {}])}`);
    expect(await raw.nextError()).toMatchObject({ error: 'unknown_event', event: name });
  });
});

test('a reserved name is found however it is written', async () => {
  for (const json of ['["\\u0063onnect"]', '[ "disconnect", {}]', '["newListener","x",{}]']) {
    expect(await raw.askRaw(json)).toMatchObject({ ok: false, error: { code: 'unknown_event' } });
  }
});

test('a number, no name at all and a name of 10 KB are unknown events too', async () => {
  expect((await raw.askRaw('[7,{}]')).error).toMatchObject({ code: 'unknown_event', event: '7' });
  expect((await raw.askRaw('')).error).toMatchObject({ code: 'unknown_event', event: '' });
  const { error } = await raw.ask('x'.repeat(10_000), {});
  expect(error.code).toBe('unknown_event');
  expect(error.event.length).toBeLessThanOrEqual(50);
});

test('unknown events count against the limit of events', async () => {
  const limited = await startAttacked({ settings: { EVENT_RATE: '10', EVENT_BURST: '10' } });
  const { raw: flooder } = await limited.attacker('mallory');
  const names = [...RESERVED, ...OTHERS];
  const answers = await Promise.all(names.map((name) => flooder.ask(name, {})));
  const codes = answers.map(({ error }) => error.code);
  expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'unknown_event'));
  expect(answers[10].error).toMatchObject({ code: 'rate_limited', retry_after_ms: expect.any(Number) });
  await limited.expectUnharmed();
  await limited.close();
});
