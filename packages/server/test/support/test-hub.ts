import type { Bus, BusMessage, Topic } from '../../src/delivery/bus.ts';

/** Links nodes of one process by topics, as a real bus does; it can be told to lose everything. */
export class TestHub {
  /** Whether what is published is lost, without anybody noticing. */
  isDeaf = false;
  readonly #nodes = new Set<Node>();

  connect(): Bus {
    const node: Node = { topics: new Set<Topic>(['all']), receive: () => undefined };
    this.#nodes.add(node);
    return {
      isShared: true,
      isUp: true,
      publish: (topics, message) => this.#publish(node, topics, message),
      follow: (topic) => void node.topics.add(topic),
      unfollow: (topic) => void node.topics.delete(topic),
      subscribe(receive) {
        node.receive = receive;
      },
      close: () => Promise.resolve(void this.#nodes.delete(node)),
    };
  }

  #publish(from: Node, topics: readonly Topic[], message: BusMessage): void {
    if (this.isDeaf) return;
    const copy = JSON.stringify(message);
    for (const node of this.#nodes) {
      if (node === from) continue;
      for (const topic of topics) if (node.topics.has(topic)) node.receive(JSON.parse(copy) as BusMessage);
    }
  }
}

interface Node {
  readonly topics: Set<Topic>;
  receive: (message: BusMessage) => void;
}
