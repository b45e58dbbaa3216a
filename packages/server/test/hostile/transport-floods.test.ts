import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PollingSession } from './polling-session.ts';
import { RawSocket } from './raw-socket.ts';
import { Victim } from './victim.ts';

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
});
afterAll(() => victim.stop());

/** An upgraded connection on bare TCP, which reads only when told to. */
async function upgraded(): Promise<Socket> {
  const { port } = new URL(victim.url);
  const connection = connect(Number(port), '127.0.0.1');
  connection.on('error', () => undefined); // a reset is an end like any other
  connection.write(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(connection, 'readable');
  return connection;
}

/** Resolves when it is closed, by a reset too. */
function ended(connection: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  connection.once('close', () => resolve());
  return promise;
}

/** A frame as a client sends it: masked, here with zeros. */
function frame(opcode: number, payload: string, isFinal = true): Buffer {
  const head = [(isFinal ? 0x80 : 0) | opcode, 0x80 | payload.length, 0, 0, 0, 0];
  return Buffer.concat([Buffer.from(head), Buffer.from(payload)]);
}

/** Writes the same bytes again and again until so many are written or the connection is closed; answers how many were. */
async function pour(connection: Socket, bytes: Buffer, total: number): Promise<number> {
  const closed = ended(connection);
  let written = 0;
  while (written < total && !connection.destroyed) {
    written += bytes.length;
    if (!connection.write(bytes)) await Promise.race([once(connection, 'drain').catch(() => undefined), closed]);
  }
  await closed;
  return written;
}

const many = (piece: Buffer, bytes: number) =>
  Buffer.concat(Array.from({ length: Math.ceil(bytes / piece.length) }, () => piece));

test('400 MB of pings from a stranger who never reads are not kept: the connection is closed', async () => {
  await victim.under(100, async () => {
    const connection = await upgraded();
    connection.pause();
    expect(await pour(connection, many(frame(0x9, 'x'.repeat(125)), 1_000_000), 400_000_000)).toBeLessThan(400_000_000);
  });
});

test('a stranger who reads may not ping without end either', async () => {
  await victim.under(100, async () => {
    const connection = await upgraded();
    connection.resume();
    expect(await pour(connection, many(frame(0x9, ''), 1_000_000), 200_000_000)).toBeLessThan(200_000_000);
  });
});

test('a million fragments of one byte, and a message that never ends, close the connection', async () => {
  await victim.under(100, async () => {
    const fragments = many(frame(0x0, 'x', false), 1_000_000);
    const empty = many(frame(0x0, '', false), 1_000_000);
    for (const rest of [fragments, empty]) {
      const connection = await upgraded();
      connection.resume();
      connection.write(frame(0x1, 'x', false));
      expect(await pour(connection, rest, 20_000_000)).toBeLessThan(20_000_000);
    }
  });
});

test('200 connections that send a message byte by byte hold next to nothing', async () => {
  await victim.under(100, async () => {
    const connections = await Promise.all(Array.from({ length: 200 }, upgraded));
    const head = Buffer.from([0x81, 0xfe, 0x3f, 0xff, 0, 0, 0, 0]); // 16,383 bytes will follow
    await Promise.all(
      connections.map(async (connection) => {
        connection.resume().setNoDelay(true);
        connection.write(head);
        const dripping = setInterval(() => connection.write('x'), 2);
        await ended(connection); // at its 512th small piece, or within 5 s: it did not log in
        clearInterval(dripping);
      }),
    );
  });
});

test('100 MB in one message are refused at their announcement, by WebSocket and by polling', async () => {
  await victim.under(100, async () => {
    const connection = await upgraded();
    connection.resume();
    connection.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x06, 0x40, 0, 0, 0, 0, 0, 0]));
    await pour(connection, Buffer.alloc(1_000_000), 100_000_000);
    const session = await PollingSession.open(victim.url);
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.alloc(100_000, 'x')),
    });
    const sent = session.post(body, { duplex: 'half' });
    await expect(sent.then(({ status }) => status)).resolves.toBe(413);
  });
});

test('5,000 handshakes from one address: 500 in 10 s are let in, the rest refused at once and for little memory', async () => {
  const strict = await Victim.start({ HANDSHAKES_PER_10S: '500' });
  await strict.under(100, async () => {
    const statuses: number[] = [];
    const shake = async () => {
      while (statuses.length < 5_000) {
        statuses.push(0);
        const place = statuses.length - 1;
        const response = await fetch(`${strict.url}/socket.io/?EIO=4&transport=polling`);
        await response.body?.cancel();
        statuses[place] = response.status;
      }
    };
    await Promise.all(Array.from({ length: 50 }, shake));
    const let_in = statuses.filter((status) => status === 200).length;
    expect(let_in).toBeLessThanOrEqual(1_500); // 500 in each 10 s
    expect(statuses.filter((status) => status === 429).length).toBe(statuses.length - let_in);
  });
  await strict.stop();
});

test('1,000 transports that never log in are closed by the server within its 5 s', async () => {
  await victim.under(100, async () => {
    const raws = await Promise.all(Array.from({ length: 1_000 }, () => RawSocket.open(victim.url)));
    await Promise.all(raws.map(({ closed }) => closed));
  });
});

test('1,000 upgrades at an address that has none leave no connection behind', async () => {
  await victim.under(100, async () => {
    const { port } = new URL(victim.url);
    const connections = Array.from({ length: 1_000 }, () => connect(Number(port), '127.0.0.1'));
    await Promise.all(
      connections.map(async (connection) => {
        connection.on('error', () => undefined);
        connection.resume().write('GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        await ended(connection);
      }),
    );
  });
});
