/**
 * The measure of everything in this folder: a Socket.IO server that answers `chat` with one event and one
 * acknowledgement, and sends to rooms. No token, no database, no promise.
 */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';

const httpServer = createServer();
const io = new Server(httpServer, { perMessageDeflate: false, serveClient: false, wsEngine: WebSocketServer });

io.on('connection', (socket) => {
  socket.on('chat', (payload: { message: string }, acknowledge?: (answer: object) => void) => {
    const answer = {
      task_id: 't',
      conversation_id: 'c',
      user_message: { content: payload.message },
      assistant_responses: [{ content: payload.message }],
    };
    socket.emit('conversation', answer);
    acknowledge?.({ ok: true });
  });
  socket.on('join', (room: string, acknowledge: (answer: object) => void) => {
    void socket.join(room);
    acknowledge({ ok: true });
  });
  socket.on('stream', (room: string, every: number, payload: object, acknowledge: (answer: object) => void) => {
    const timer = setInterval(() => io.to(room).emit('response_delta', payload), every);
    socket.on('disconnect', () => clearInterval(timer));
    acknowledge({ ok: true });
  });
});

httpServer.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('listening\n'));
