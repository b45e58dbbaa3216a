import { expect, test } from 'vitest';
import { startServer } from '../support/start-server.ts';
import { RawSocket } from './raw-socket.ts';

test('while the database is away nothing is acknowledged, everybody is told so, and nothing of why', async () => {
  const server = await startServer({ settings: { ASSISTANT: 'none' } });
  const person = await server.signUp('alice');
  const raw = await RawSocket.connect(server.url, person.token);
  const { conversation_id } = await raw.ask('chat', { message: 'before' });
  await server.context.store.close();
  const payload = { conversation_id, message: 'lost', after_seq: 0, token: person.token };
  for (const event of ['chat', 'sync', 'join_conversation']) {
    const { ok, error } = await raw.ask(event, payload);
    expect({ ok, code: error.code, event: error.event }).toEqual({ ok: false, code: 'unavailable', event });
    raw.send(`42${JSON.stringify([event, payload])}`);
    expect(await raw.nextError()).toMatchObject({ error: 'unavailable', event });
  }
  const stranger = await RawSocket.open(server.url);
  stranger.send(`40${JSON.stringify({ token: person.token })}`);
  expect(await stranger.next((text) => text.startsWith('44'))).toContain('unavailable');
  await stranger.closed;
  expect([...raw.received, ...stranger.received].join()).not.toMatch(/sqlite|database|worker|\.ts/i);
  raw.close();
  await server.close().catch(() => undefined); // its database was closed already
});
