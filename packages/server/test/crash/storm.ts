import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ConversationEvent } from '@tertulia/protocol';
import type { Store } from '../../src/store/store.ts';
import { guardChild } from '../support/guard-child.ts';
import type { FromClients, StormClient, ToClients } from './storm-messages.ts';
import type { Shared, World } from './world.ts';

const ENTRY = fileURLToPath(new URL('./storm-clients.ts', import.meta.url));
const PROCESSES = 2;
/** Linux answers on all of 127.0.0.0/8. */
const ADDRESSES = process.platform === 'linux' ? 20 : 1;
const ALL_BACK_MS = 120_000;

/** Many clients in processes of their own, so that they starve nobody. */
export class Storm {
  readonly #children: ChildProcess[];

  constructor() {
    this.#children = Array.from({ length: PROCESSES }, () => fork(ENTRY, { execPath: process.execPath, execArgv: [] }));
    for (const child of this.#children) guardChild(child);
  }

  /** So many clients of these people, each in the conversations that are theirs. */
  connect(url: string, count: number, { people, chats }: World): void {
    const clients = Array.from({ length: count }, (_, index): StormClient => {
      const person = people[index % people.length]!;
      const conversations = chats.filter(({ members }) => members.includes(person)).map(({ id }) => id);
      return { token: person.token, address: `127.0.0.${1 + (index % ADDRESSES)}`, conversations };
    });
    for (const [index, child] of this.#children.entries()) {
      const own = clients.filter((_, number) => number % PROCESSES === index);
      child.send({ kind: 'connect', url, clients: own } satisfies ToClients);
    }
  }

  /** Waits until every client has joined and is at `seq` of its conversations. */
  async allBack(shared: readonly Shared[], seq: number): Promise<FromClients> {
    const targets = Object.fromEntries(shared.map(({ id }) => [id, seq]));
    const signal = AbortSignal.timeout(ALL_BACK_MS);
    const answers = await Promise.all(
      this.#children.map(async (child) => {
        const answer = once(child, 'message', { signal });
        child.send({ kind: 'expect', targets } satisfies ToClients);
        const [told]: FromClients[] = await answer;
        return told!;
      }),
    );
    return { back: answers.flatMap(({ back }) => back), faults: answers.flatMap(({ faults }) => faults) };
  }

  close(): void {
    for (const child of this.#children) child.send({ kind: 'end' } satisfies ToClients);
  }
}

/** Writes messages into conversations past any server. */
export async function writeInto(store: Store, shared: readonly Shared[], count: number): Promise<void> {
  await Promise.all(shared.map((conversation) => writeOne(store, conversation, count)));
}

/** In order and all at once: the store commits many together. */
async function writeOne(store: Store, { id, members: [author] }: Shared, count: number): Promise<void> {
  const last = await store.log.lastSeq(id);
  const seqs = Array.from({ length: count }, (_, index) => last + 1 + index);
  await Promise.all(
    seqs.map((seq) => {
      const event = messageEvent(id, seq, author!);
      return store.log.append({ event, sender: author!.id, client_msg_id: `m-${seq}`, ends_task: null, claim: null });
    }),
  );
}

function messageEvent(
  conversation_id: string,
  seq: number,
  { id, username }: { id: string; username: string },
): ConversationEvent {
  const actor = { kind: 'user', id, name: username } as const;
  const content = 'What was said while you were away. '.repeat(5);
  const written = { role: 'user', content, metadata: {}, timestamp: Date.now() / 1_000, task_id: null } as const;
  const message = { id: `${conversation_id}-${seq}`, ...written, seq, conversation_id, author: actor };
  return {
    conversation_id,
    seq,
    actor,
    created_at: new Date().toISOString(),
    type: 'message_created',
    data: { message },
  };
}
