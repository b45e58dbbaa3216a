// What somebody would write who builds a chat on Socket.IO by its documentation: rooms, connection state recovery and the
// Redis streams adapter. The comparison of docs/reliability.md runs against three of these.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createClient } from '@redis/client';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Server } from 'socket.io';
import type { Said } from './said.ts';

/** The default of Socket.IO's documentation. */
const RECOVER_MS = 120_000;

const { PORT, REDIS_URL, NODE_ID } = process.env;
const redis = createClient({ url: REDIS_URL! });
redis.on('error', () => {}); // it reconnects by itself
await redis.connect();

const http = createServer((_request, response) => response.end('ready'));
const io = new Server(http, {
  adapter: createAdapter(redis),
  connectionStateRecovery: { maxDisconnectionDuration: RECOVER_MS, skipMiddlewares: true },
  pingInterval: 10_000,
  pingTimeout: 5_000,
});
// As Tertulia does, so that the same load balancer finds a transport's node.
io.engine.generateId = () => `${NODE_ID}.${randomUUID()}`;

io.on('connection', (socket) => {
  const { rooms } = socket.handshake.auth as { rooms: string[] };
  void socket.join(rooms);
  socket.on('say', (said: Said, acknowledge: () => void) => {
    io.to(said.room).emit('said', said);
    acknowledge();
  });
  socket.emit('welcome');
});

http.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
process.once('SIGTERM', () => void io.close().then(() => process.exit(0)));
