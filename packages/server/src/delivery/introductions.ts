import { createHash } from 'node:crypto';
import type { Logger } from '../log.ts';
import type { Bus, BusMessage } from './bus.ts';

/** The same mistake is told of once in this time. */
const TELL_MS = 60_000;

type Introduction = Extract<BusMessage, { kind: 'node' }>;

/** Who introduces itself, and where. */
export interface IntroductionParts {
  readonly bus: Bus;
  readonly log: Logger;
  /** NODE_ID. */
  readonly nodeId: string;
  /** What this node signs with. */
  readonly secret: string;
}

/**
 * Nodes name themselves to each other when their links come up, so that two mistakes of a deployment stand in the log
 * before people meet them: a NODE_ID that two nodes have, and a secret that differs.
 */
export class Introductions {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #own: Introduction;
  #toldAt = -TELL_MS;

  constructor({ bus, log, nodeId, secret }: IntroductionParts) {
    this.#bus = bus;
    this.#log = log;
    this.#own = { kind: 'node', node_id: nodeId, secret_mark: markOf(secret) };
  }

  /** Says who this node is to all others. */
  introduce(): void {
    this.#bus.publish(['all'], this.#own);
  }

  /** Warns of what cannot be right, and introduces itself to the other, which may have missed that. */
  meet({ node_id, secret_mark }: Introduction): void {
    const isTwin = node_id === this.#own.node_id;
    const isForeign = secret_mark !== this.#own.secret_mark;
    if ((!isTwin && !isForeign) || performance.now() - this.#toldAt < TELL_MS) return;
    this.#toldAt = performance.now();
    const other = { other_node: node_id };
    if (isTwin) {
      this.#log.warn(
        other,
        'another server has the same NODE_ID: a load balancer cannot tell their sockets apart. Give each its own',
      );
    }
    if (isForeign) {
      this.#log.warn(
        other,
        'another server has another JWT_SECRET: logins end when people come from one to the other. Give all the same',
      );
    }
    this.introduce();
  }
}

/** Tells secrets apart, and no more about them than any access token that they sign. */
function markOf(secret: string): string {
  return createHash('sha256').update(`tertulia secret mark ${secret}`).digest('base64url').slice(0, 11);
}
