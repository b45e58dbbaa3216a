import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/sqlite-store.ts';
import { PollingSession } from '../hostile/polling-session.ts';
import { RawSocket } from '../hostile/raw-socket.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { testDirectory } from '../support/test-directory.ts';
import { withServer } from '../support/with-server.ts';

const statusOf = async (server: TestServer, path: string) => (await fetch(server.url + path)).status;

/** When each of these clients was disconnected, in order, in ms. */
async function departures(clients: readonly TestClient[]): Promise<number[]> {
  const times = clients.map(async (client) => {
    await new Promise((resolve) => client.socket.once('disconnect', resolve));
    return performance.now();
  });
  return (await Promise.all(times)).toSorted((one, other) => one - other);
}

/** Lets nobody write into the database until told. */
function holdDatabase({ directory }: TestServer): () => void {
  const db = new DatabaseSync(join(directory, DATABASE_FILE));
  db.exec('BEGIN IMMEDIATE');
  return () => db.close();
}

test('while balancers have not noticed that a server stops, all but /readyz goes on', async () => {
  await withServer({ settings: { SHUTDOWN_DELAY_SECONDS: '4' } }, async (server) => {
    const client = await server.connect(await server.signUp('alice'));
    const stopped = server.stop();
    expect(await statusOf(server, '/readyz')).toBe(503);
    expect(await statusOf(server, '/livez')).toBe(200);
    expect(await statusOf(server, '/socket.io/?EIO=4&transport=polling')).toBe(200);
    expect(await client.ask('chat', { message: 'hello' })).toMatchObject({ ok: true });
    expect((await client.next('conversation')).assistant_responses).toHaveLength(1);
    await client.next('disconnect');
    await stopped;
    await expect(statusOf(server, '/livez')).rejects.toThrow('fetch failed');
  });
});

describe('while a server drains', () => {
  test('it takes no new sessions, says so, and serves those it has', async () => {
    const assistant = createScripted([[{ text: 'one ' }, { hang: true }]]);
    await withServer({ assistant, settings: { SHUTDOWN_DRAIN_SECONDS: '1' } }, async (server) => {
      const alice = await server.signUp('alice');
      const client = await server.connect(alice, { protocol: 1, transports: ['polling'] });
      const { conversation_id } = await client.ask('chat', { message: 'go' });
      await client.next('response_delta');
      const stopped = server.stop();
      expect(await statusOf(server, '/readyz')).toBe(503);
      const refused = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await refused.json()).toMatchObject({ error: 'shutting_down', retry_after_ms: 1_000 });
      expect(await client.ask('chat', { message: 'still', conversation_id })).toMatchObject({ ok: true });
      const { status } = await server.call('GET', `/conversations/${conversation_id}`, { token: alice.token });
      expect(status).toBe(200);
      expect(await client.next('response_end')).toMatchObject({ status: 'interrupted' });
      await client.next('server_shutdown');
      expect(await client.next('disconnect')).toBe('transport error'); // a refused poll
      await stopped;
    });
  });

  test.each([['polling' as const], ['websocket' as const]])(
    'what it was sent by %s is acknowledged before the connection ends',
    async (transport) => {
      await withServer({ settings: { ASSISTANT: 'none' } }, async (server) => {
        const client = await server.connect(await server.signUp('alice'), { transports: [transport] });
        const release = holdDatabase(server);
        const asked = client.ask('chat', { message: 'hello' });
        await expect.poll(() => server.context.store.depths['write']).toBeGreaterThan(0);
        const stopped = server.stop();
        setTimeout(release, 200);
        expect(await asked).toMatchObject({ ok: true });
        expect(client.names()).not.toContain('disconnect');
        await client.next('conversation');
        await client.next('disconnect');
        await stopped;
      });
    },
  );

  test('what a client sends before it learns of the end is stored', async () => {
    const directory = testDirectory();
    const settings = { ASSISTANT: 'none' };
    const server = await startServer({ directory, settings });
    const alice = await server.signUp('alice');
    const chat = (message: string) => `42["chat",${JSON.stringify({ message, conversation_id })}]`;
    const raw = await RawSocket.connect(server.url, alice.token);
    const { conversation_id } = await raw.ask('chat', { message: 'first' });
    const poller = await PollingSession.connect(server.url, alice.token);
    raw.webSocket.on('message', (frame: Buffer) => {
      if (!frame.toString().includes('server_shutdown')) return;
      for (const message of ['wait', 'one more', 'bye']) raw.webSocket.send(chat(message));
    });
    const stopped = server.stop();
    let packets = ['more'];
    while (packets.length > 0) packets = await poller.poll();
    expect((await poller.post(chat('under way'))).status).toBe(200);
    await stopped;
    await withServer({ directory, settings }, async (next) => {
      const { body } = await next.call('GET', `/conversations/${conversation_id}/messages`, { token: alice.token });
      const texts = body.messages.map(({ content }: { content: string }) => content);
      expect(texts.toSorted()).toEqual(['bye', 'first', 'one more', 'under way', 'wait']);
    });
  });

  test('whoever awaits an answer on the base layer gets it before the connection ends', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const assistant = createScripted([[{ text: 'one ' }, { until: promise }, { text: 'two' }]]);
    await withServer({ assistant }, async (server) => {
      const client = await server.connect(await server.signUp('alice'));
      await client.ask('chat', { message: 'go' });
      const stopped = server.stop();
      setTimeout(resolve, 200);
      const { assistant_responses } = await client.next('conversation');
      expect(assistant_responses[0].content).toBe('one two');
      expect(client.names()).not.toContain('disconnect');
      await client.next('disconnect');
      await stopped;
    });
  });

  test('sockets leave one after another, not all at once', async () => {
    await withServer({ settings: { SOCKETS_PER_USER: '1000' } }, async (server) => {
      const alice = await server.signUp('alice');
      const ways = [{}, { protocol: 1 }];
      const clients = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          server.connect(alice, { ...ways[index % 2], transports: ['websocket'] }),
        ),
      );
      const left = departures(clients);
      await server.stop();
      const times = await left;
      expect(times.at(-1)! - times[0]!).toBeGreaterThan(100); // 2 ms each
      const told = clients.filter((client) => client.names().includes('server_shutdown'));
      expect(told).toHaveLength(50);
    });
  });

  test('where there is no time for that, those who can be told come back one after another', async () => {
    const settings = { SOCKETS_PER_USER: '1000', SHUTDOWN_DRAIN_SECONDS: '0' };
    await withServer({ settings }, async (server) => {
      const alice = await server.signUp('alice');
      const connecting = Array.from({ length: 50 }, () => server.connect(alice, { protocol: 1 }));
      const clients = await Promise.all(connecting);
      const left = departures(clients);
      await server.stop();
      await left;
      const waits = await Promise.all(
        clients.map(async (client) => (await client.next('server_shutdown')).reconnect_after_ms as number),
      );
      expect(waits.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 50 }, (_, index) => index * 2));
    });
  });
});
