import type { Delivery } from '../delivery/delivery.ts';
import type { ChatServer } from './types.ts';

/** How often a heartbeat goes out (G4). */
export const HEARTBEAT_MS = 10_000;

/** Sockets that get their heartbeat in one turn of the event loop, so that 10,000 of them do not hold it up. */
const SOCKETS_A_TURN = 200;

/** Tells extended sockets the last seq of their joined conversations that changed; answers what stops it. */
export function beat(io: ChatServer, delivery: Delivery): () => void {
  const timer = setInterval(() => {
    delivery.forgetUnused();
    const changed = delivery.changedSinceHeartbeat();
    beatSome([...io.sockets.sockets.values()].filter((socket) => socket.data.protocol > 0).values(), changed);
  }, HEARTBEAT_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function beatSome(
  sockets: IterableIterator<ReturnType<ChatServer['sockets']['sockets']['get']>>,
  changed: ReadonlyMap<string, number>,
): void {
  for (let count = 0; count < SOCKETS_A_TURN; count += 1) {
    const { value: socket, done } = sockets.next();
    if (done) return;
    const conversations: Record<string, number> = {};
    for (const id of socket?.data.joined ?? []) {
      const seq = changed.get(id);
      if (seq !== undefined) conversations[id] = seq;
    }
    socket?.emit('heartbeat', { conversations });
  }
  setImmediate(() => beatSome(sockets, changed));
}
