import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { createMetrics } from '../../src/metrics.ts';
import { streamRoom } from '../../src/delivery/rooms.ts';
import { boundOutbox } from '../../src/socket/outbox.ts';
import type { ChatSocket } from '../../src/socket/types.ts';

/** A connection whose other end reads when the test says so: loopback's own buffers would hide what is counted here. */
class SlowConnection extends EventEmitter {
  isClosed = false;
  readonly transport = { socket: { bufferedAmount: 0, terminate: () => undefined } };

  /** Sends a packet of so many bytes and lets the turn of the event loop end. */
  async send(bytes: number): Promise<void> {
    this.emit('packetCreate', { data: 'x'.repeat(bytes) });
    this.emit('flush');
    this.transport.socket.bufferedAmount += bytes;
    this.emit('drain'); // Engine.IO's word for having handed on what waited, read or not
    await nextTurn();
  }

  read(): void {
    this.transport.socket.bufferedAmount = 0;
  }

  close(): void {
    this.isClosed = true;
  }
}

let connection: SlowConnection;
let rooms: Set<string>;
beforeEach(() => {
  connection = new SlowConnection();
  rooms = new Set([streamRoom('a'), streamRoom('b')]);
  const socket = {
    conn: connection,
    data: { is_behind: false, protocol: 1, joined: new Set(['a', 'b']) },
    join: (room: string) => rooms.add(room),
    leave: (room: string) => rooms.delete(room),
  };
  boundOutbox(socket as unknown as ChatSocket, createMetrics(), () => undefined);
});

test('above 256 KiB no deltas are sent, and once all is read they are again', async () => {
  await connection.send(250_000);
  expect(rooms.size).toBe(2);
  await connection.send(20_000);
  expect(rooms.size).toBe(0);
  expect(connection.isClosed).toBe(false);
  connection.read();
  await connection.send(100);
  expect(rooms.size).toBe(2);
});

test('above 1 MiB the connection is closed', async () => {
  for (let sent = 0; sent < 1_000_000; sent += 50_000) await connection.send(50_000);
  expect(connection.isClosed).toBe(false);
  for (let sent = 0; sent < 150_000; sent += 50_000) await connection.send(50_000);
  expect(connection.isClosed).toBe(true);
});

test('one event of more than that closes nobody, nor does what follows it; a second one like it does', async () => {
  await connection.send(1_300_000);
  for (let count = 0; count < 5; count += 1) await connection.send(1_000);
  expect(connection.isClosed).toBe(false);
  await connection.send(1_300_000);
  expect(connection.isClosed).toBe(true);
});

test('what comes in one turn of the event loop and is read at its end closes nobody', async () => {
  for (let count = 0; count < 30; count += 1) connection.emit('packetCreate', { data: 'x'.repeat(100_000) });
  connection.emit('flush');
  await nextTurn();
  expect(connection.isClosed).toBe(false);
});

test('a poller who does not come for what waits is closed as well', async () => {
  Object.assign(connection, { transport: {} });
  for (let count = 0; count < 30; count += 1) connection.emit('packetCreate', { data: 'x'.repeat(50_000) });
  await nextTurn();
  expect(connection.isClosed).toBe(true);
});
