import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { TestClient } from '../support/test-client.ts';
import { withServer } from '../support/with-server.ts';

test('with TRANSPORTS=websocket there is no polling, and whoever tries it is told', async () => {
  await withServer({ settings: { TRANSPORTS: 'websocket' } }, async (server) => {
    const alice = await server.signUp('alice');
    const refused = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: 'unsupported_protocol',
      detail: "This server takes WebSockets only: connect with transports: ['websocket'].",
    });
    const poller = new TestClient(io(server.url, TestClient.options(alice.token, {})));
    expect(String(await poller.next('connect_error'))).toContain('xhr poll error');
    const client = await server.connect(alice, { transports: ['websocket'] });
    expect(await client.ask('chat', { message: 'hello' })).toMatchObject({ ok: true });
    const { socketio } = (await (await fetch(`${server.url}/socket-info`)).json()) as { socketio: object };
    expect(socketio).toMatchObject({ transports: ['websocket'] });
  });
});
