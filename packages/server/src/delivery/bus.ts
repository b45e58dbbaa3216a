import type { ConversationEvent } from '@tertulia/protocol';

/** What nodes tell each other. All of it may be lost: the log and the sessions in the database are the truth. */
export type BusMessage =
  | { readonly kind: 'event'; readonly event: ConversationEvent; readonly members: readonly string[] }
  | { readonly kind: 'stream'; readonly conversation_id: string; readonly name: string; readonly payload: object }
  | { readonly kind: 'revoked'; readonly session_ids: readonly string[] };

/** One node's link to the others. What it publishes reaches every other node, never itself. */
export interface Bus {
  publish(message: BusMessage): void;
  subscribe(receive: (message: BusMessage) => void): void;
  close(): Promise<void>;
}

/** Links the nodes of one process; with a single node, publishing goes nowhere and costs nothing. */
export class InProcessHub {
  readonly #nodes = new Set<(message: BusMessage) => void>();

  connect(): Bus {
    let receiver: ((message: BusMessage) => void) | null = null;
    const nodes = this.#nodes;
    return {
      publish(message) {
        for (const receive of nodes) if (receive !== receiver) receive(message);
      },
      subscribe(receive) {
        receiver = receive;
        nodes.add(receive);
      },
      close() {
        if (receiver) nodes.delete(receiver);
        return Promise.resolve();
      },
    };
  }
}
