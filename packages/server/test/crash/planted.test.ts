import { ChatError } from '@tertulia/protocol';
import { describe, expect, test } from 'vitest';
import { endOf, type NewEvent } from '../../src/store/store.ts';
import { endTask } from '../../src/tasks/end-task.ts';
import type { FaultKind } from './history.ts';
import {
  faultsWith,
  loseFirstAnswers,
  PATIENT_MS,
  sql,
  wrapAppend,
  wrapEmit,
  type Bug,
  type Loosened,
} from './planted-run.ts';

const answerOf = ({ event }: NewEvent) => (event.type === 'message_created' && event.data.ends_task ? event : null);

const bugs: [string, FaultKind, Bug][] = [
  [
    'the acknowledgement leaves before the commit, and the process ends before it',
    'lost',
    {
      plant: ({ context }) =>
        wrapAppend(context.store, (_given, append, count) =>
          count > 10 ? Promise.resolve({ status: 'appended' }) : append(),
        ),
    },
  ],
  [
    'there is no unique index on client_msg_id',
    'dup',
    {
      plant(server) {
        sql(server, 'DROP INDEX events_by_client_msg_id');
        loseFirstAnswers(server.context.store);
      },
    },
  ],
  [
    'a repeat is answered with another place',
    'misplaced',
    {
      plant: ({ context }) =>
        loseFirstAnswers(context.store, (result) => {
          return result.status === 'repeated'
            ? { ...result, first: { ...result.first, seq: result.first.seq + 1 } }
            : result;
        }),
    },
  ],
  [
    'a seq is left out',
    'hole',
    {
      plant: ({ context }) =>
        wrapAppend(context.store, ({ event }, append, count) => {
          if (count === 15) event.seq += 1;
          return append();
        }),
    },
  ],
  [
    'events are emitted in the order that they come to hand',
    'reorder',
    {
      plant() {
        let held: (() => void) | null = null;
        return wrapEmit((name, emit, count) => {
          if (name !== 'conversation_event') return emit();
          if (count % 10 === 0) {
            held = emit;
            return;
          }
          emit();
          held?.();
          held = null;
        });
      },
    },
  ],
  [
    'an event is not emitted',
    'hole',
    {
      plant: () =>
        wrapEmit((name, emit, count) => (name === 'conversation_event' && count === 10 ? undefined : emit())),
    },
  ],
  [
    'a task may end twice',
    'task',
    {
      plant: (server) => sql(server, 'DROP INDEX events_by_ended_task'),
      async afterwards({ context }, { talk }) {
        const events = await context.store.log.read(talk, 0, 100);
        const ended = events.map(endOf).find((end) => end !== null)!;
        await endTask(context.conversations, talk, { ...ended, status: 'cancelled' });
      },
    },
  ],
  [
    'an answer is lost',
    'task',
    {
      plant: ({ context }) =>
        wrapAppend(context.store, (given, append, count) => {
          if (count > 20 && answerOf(given)) throw new ChatError('task_ended');
          return append();
        }),
    },
  ],
  [
    'the stored answer is not the streamed one',
    'stream',
    {
      plant: ({ context }) =>
        wrapAppend(context.store, (given, append) => {
          const answer = answerOf(given);
          if (answer) answer.data.message.content = answer.data.message.content.trimEnd().slice(0, -1);
          return append();
        }),
    },
  ],
  [
    'a delta is not emitted',
    'gap',
    { plant: () => wrapEmit((name, emit, count) => (name === 'response_delta' && count === 5 ? undefined : emit())) },
  ],
  [
    'the messages as they stand are out of date',
    'diverge',
    {
      read(store) {
        const messages = store.conversations.messages.bind(store.conversations);
        store.conversations.messages = async (...given) => (await messages(...given))?.slice(0, -1) ?? null;
      },
    },
  ],
  [
    "a task's status is out of date",
    'task',
    {
      plant: (server) =>
        sql(
          server,
          'CREATE TRIGGER planted BEFORE UPDATE OF status ON tasks WHEN NEW.ended_seq > 30 BEGIN SELECT RAISE(IGNORE); END',
        ),
    },
  ],
  [
    'a page leaves an event out',
    'hole',
    {
      plant({ context }) {
        const { conversations }: Loosened = context.store;
        const events = conversations.events.bind(conversations);
        conversations.events = async (...given) => {
          const page = await events(...given);
          return page && { ...page, events: page.events.filter(({ seq }) => seq !== 15) };
        };
      },
    },
  ],
  [
    'a base-layer answer is not emitted',
    'exchange',
    { plant: () => wrapEmit((name, emit, count) => (name === 'conversation' && count % 4 === 0 ? undefined : emit())) },
  ],
];

describe('in a real server', () => {
  test('the checker finds nothing where nothing is planted', async () => {
    expect(await faultsWith({}, { patienceMs: PATIENT_MS })).toEqual([]);
  });

  test('the checker finds nothing where first answers are lost', async () => {
    expect(
      await faultsWith({ plant: ({ context }) => loseFirstAnswers(context.store) }, { patienceMs: PATIENT_MS }),
    ).toEqual([]);
  });

  test.each(bugs)('the checker catches it where %s', async (_bug, kind, bug) => {
    expect(await faultsWith(bug)).toContain(kind);
  });
});
