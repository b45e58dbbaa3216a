import { ChatError } from '@tertulia/protocol';
import { Socket as ServerSocket } from 'socket.io';
import { Socket as ClientSocket } from 'socket.io-client';
import { describe, expect, test } from 'vitest';
import type { FaultKind } from '../crash/history.ts';
import { faultsWith, loseFirstAnswers, PATIENT_MS, sql, wrapAppend, wrapEmit, type Bug } from '../crash/planted-run.ts';
import { until } from '../crash/until.ts';
import { Delivery } from '../../src/delivery/delivery.ts';
import { FollowedConversations } from '../../src/delivery/followed-conversations.ts';
import { addMember, removeMember } from '../../src/events/members.ts';
import { endOf, startOf, type DueTask, type Store } from '../../src/store/store.ts';

const SERVERS = 2;
const LATE_MS = 2_000;

/** Replaces a method; answers what puts it back. */
function replace<T extends object, K extends keyof T>(object: T, name: K, by: (before: T[K]) => T[K]): () => void {
  const before = object[name];
  object[name] = by(before);
  return () => {
    object[name] = before;
  };
}

/** Every unended task is due, whoever runs it. */
function ignoreLeases({ tasks, log }: Store, conversationId: string): void {
  Object.assign(tasks, {
    claim: () => Promise.resolve(true),
    async due(): Promise<DueTask[]> {
      const events = await log.read(conversationId, 0, 1_000);
      const ended = new Set(events.map((event) => endOf(event)?.id));
      const first = events.find((event) => startOf(event) && !ended.has(startOf(event)!.id));
      const task = first && startOf(first);
      return task ? [{ task, conversation_id: conversationId, seq: first.seq, attempt: 1 }] : [];
    },
  });
}

/** Bugs that only several nodes can have, or that look otherwise among them. */
const bugs: [string, FaultKind, Bug][] = [
  [
    'a node numbers events in the order in which the bus brings them',
    'diverge',
    {
      plant() {
        const counts = new Map<Delivery, number>();
        const numbering = (receive: Delivery['receive']): Delivery['receive'] =>
          function (this: Delivery, message) {
            if (message.kind !== 'event' || !message.event) return receive.call(this, message);
            const seq = (counts.get(this) ?? message.seq - 1) + 1;
            counts.set(this, seq);
            return receive.call(this, { ...message, seq, event: { ...message.event, seq } });
          };
        return replace(Delivery.prototype, 'receive', numbering);
      },
    },
  ],
  [
    'two nodes may give the same seq to two events',
    'hole',
    { plant: (server) => sql(server, 'DROP INDEX events_by_seq') },
  ],
  [
    'another node does not know a repeat',
    'dup',
    {
      plant(server, { servers }) {
        sql(server, 'DROP INDEX events_by_client_msg_id');
        for (const { context } of servers) loseFirstAnswers(context.store);
      },
    },
  ],
  [
    'a client makes another client_msg_id for each try',
    'dup',
    {
      plant(_server, { servers }) {
        for (const { context } of servers) loseFirstAnswers(context.store);
        let tries = 0;
        const renaming = (emit: ClientSocket['emit']): ClientSocket['emit'] =>
          function (this: ClientSocket, name, payload, ...rest) {
            const sent = name === 'chat' ? { ...Object(payload), client_msg_id: `try-${(tries += 1)}` } : payload;
            return emit.call(this, name, sent, ...rest);
          };
        return replace(ClientSocket.prototype, 'emit', renaming);
      },
    },
  ],
  [
    'one node acknowledges before the commit, and dies before it',
    'lost',
    {
      plant: (_server, { servers }) =>
        wrapAppend(servers[1]!.context.store, (_given, append, count) =>
          count > 5 ? Promise.resolve({ status: 'appended' }) : append(),
        ),
    },
  ],
  [
    'the bus loses everything, and nobody looks at the log',
    'hole',
    {
      plant(_server, { hub }) {
        hub.isDeaf = true;
        return replace(FollowedConversations.prototype, 'tail', () => () => Promise.resolve());
      },
      async afterwards(_server, { talk, clients: [, second] }) {
        second!.send('and does the other node hear this?', talk); // it reads the log when it appends, too
        await until(() => second!.waiting === 0, LATE_MS, 'said');
      },
    },
  ],
  [
    'two nodes win the claim of a task, and both may end it',
    'task',
    {
      plant(server, { servers, talk }) {
        sql(server, 'DROP INDEX events_by_ended_task');
        for (const { context } of servers) ignoreLeases(context.store, talk);
        const { store } = servers[1]!.context;
        wrapAppend(store, async ({ event, ends_task }, append) => {
          if (!ends_task) return append();
          const isEnded = async () =>
            (await store.log.read(talk, 0, 1_000)).some((other) => endOf(other)?.id === ends_task);
          await until(isEnded, LATE_MS, 'ended by the other node').catch(() => undefined);
          event.seq = (await store.log.lastSeq(talk)) + 1;
          return append();
        });
      },
    },
  ],
  [
    'what the bus told is emitted again when it comes back',
    'reorder',
    {
      plant() {
        const told: (() => void)[] = [];
        return wrapEmit((name, emit, count) => {
          emit();
          if (name === 'conversation_event' && count <= 5) told.push(emit);
          if (name === 'conversation_event' && count === 30) for (const again of told) again();
        });
      },
    },
  ],
  [
    'a node goes on serving somebody who was removed by another node',
    'access',
    {
      plant: () => replace(ServerSocket.prototype, 'leave', () => () => undefined),
      async afterwards({ context }, { talk, people: [ann, bob], clients: [client] }) {
        const account = await context.store.accounts.findUser(ann!.id);
        if (!account) throw new ChatError('not_found');
        await removeMember(context, account, talk, bob!.username);
        client!.send('and now that he is gone?', talk);
        await until(() => client!.waiting === 0, LATE_MS, 'said');
        await addMember(context, account, talk, bob!.username);
      },
    },
  ],
];

describe(`on ${SERVERS} nodes`, () => {
  test('the checker finds nothing where nothing is planted', async () => {
    expect(await faultsWith({}, { servers: SERVERS, patienceMs: PATIENT_MS })).toEqual([]);
  });

  test.each(bugs)('the checker catches it where %s', async (_bug, kind, bug) => {
    expect(await faultsWith(bug, { servers: SERVERS })).toContain(kind);
  });
});
