import { ChatError } from '@tertulia/protocol';
import type { ChatSocket } from './types.ts';

/** Each user's open sockets on this node: one more than allowed closes the stalest. */
export class UserSockets {
  readonly #max: number;
  readonly #sockets = new Map<string, Set<ChatSocket>>();

  constructor(max: number) {
    this.#max = max;
  }

  add(socket: ChatSocket): void {
    const own = this.#sockets.get(socket.data.user.id) ?? new Set();
    this.#sockets.set(socket.data.user.id, own.add(socket));
    if (own.size <= this.#max) return;
    const stalest = [...own].reduce((one, other) => (other.data.active_at < one.data.active_at ? other : one));
    const { code, message } = new ChatError('replaced');
    stalest.emit('error', { message, error: code, limit: `${this.#max} connections` });
    stalest.disconnect(true);
  }

  remove(socket: ChatSocket): void {
    const own = this.#sockets.get(socket.data.user.id);
    own?.delete(socket);
    if (own?.size === 0) this.#sockets.delete(socket.data.user.id);
  }
}
