import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Person } from '../support/start-server.ts';
import { Workers } from './workers.ts';

let server: Workers;
let connection: Socket;
let received = '';

beforeAll(async () => {
  server = await Workers.start(2, { HANDSHAKES_PER_10S: '20' });
  connection = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
  connection.setEncoding('latin1').on('data', (text: string) => (received += text));
});
afterAll(async () => {
  connection.destroy();
  await server.close();
});

/** One request on the one connection, which one worker has; answers what comes back. */
async function ask(method: string, target: string, body = ''): Promise<string> {
  received = '';
  const chunks = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const framing = chunks === '' ? '' : 'Transfer-Encoding: chunked\r\n';
  connection.write(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n${chunks}`);
  await expect.poll(() => received, { timeout: 20_000 }).toMatch(/^HTTP\/1\.1 (?:4|200 OK[^]*\r\n\r\n.)/);
  return received;
}

const polling = (sid: string) => `/socket.io/?EIO=4&transport=polling&sid=${sid}`;

test('what the body of a request says is no request of its own, whichever worker it comes to', async () => {
  const [victim, attacker] = [await server.signUp('victim'), await server.signUp('attacker')];
  const sessions = async ({ token }: Person) => {
    const sids = (await server.sessionsOnEach()).toSorted();
    for (const sid of sids) {
      expect(await ask('POST', polling(sid), `40${JSON.stringify({ token })}`)).toMatch(/ok$/);
      expect(await ask('GET', polling(sid))).toContain('"connected"');
    }
    return sids;
  };
  const own = await sessions(attacker);
  const leave = async (sid: string, conversation_id: string) =>
    expect(
      await ask('POST', polling(sid), `42["leave_conversation",{"conversation_id":"${conversation_id}"}]`),
    ).toMatch(/ok$/);
  for (const [index, sid] of (await sessions(victim)).entries()) {
    await leave(sid, 'of-the-victim');
    const hidden = `GET ${polling(own[index]!)} HTTP/1.1\r\nHost: localhost\r\n\r\n`; // a poll that waits for its answer
    expect(await ask('GET', polling(sid), hidden)).toContain('of-the-victim');
    await leave(own[index]!, 'of-the-attacker');
    await leave(sid, 'of-the-victim-again');
    expect(await ask('GET', polling(sid))).toContain('of-the-victim-again');
    expect(await ask('GET', polling(own[index]!))).toContain('of-the-attacker');
  }
});

test('no address but that of the sockets leads to a session, nor past the limits', async () => {
  const others = server.names.map((name) => `${name}.AAAAAAAAAAAAAAAAAAAAAA`);
  for (const sid of others) {
    expect(await ask('GET', `/other?EIO=4&transport=polling&sid=${sid}`)).toMatch(/^HTTP\/1\.1 404/);
    expect(await ask('GET', `/other?EIO=4&transport=polling#&sid=${sid}`)).toMatch(/^HTTP\/1\.1 404/);
  }
});
