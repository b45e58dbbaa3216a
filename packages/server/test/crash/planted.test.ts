import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ChatError } from '@tertulia/protocol';
import { Server } from 'socket.io';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/sqlite-store.ts';
import {
  endOf,
  type AppendResult,
  type ConversationStore,
  type LogStore,
  type NewEvent,
  type Store,
} from '../../src/store/store.ts';
import { endTask } from '../../src/tasks/task-runner.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { BaseClient } from './base-client.ts';
import { checkRun } from './check-run.ts';
import type { Entry, FaultKind } from './history.ts';
import { OutboxClient } from './outbox-client.ts';
import { CRASH_SETTINGS } from './settings.ts';
import { until } from './until.ts';
import { drain, openConversation, openStore, settleIn } from './world.ts';

const MESSAGES = 12;
const QUESTION = 'what?\nscript: {"steps": [{"text": "so "}, {"delay_ms": 25}, {"text": "be it"}]}';
/** Where a bug is planted, answers may never come. */
const IMPATIENT_MS = 3_000;
const PATIENT_MS = 30_000;

let directory = '';
const undo: (() => void)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tertulia-planted-'));
});

afterEach(async () => {
  for (const step of undo.splice(0)) step();
  await rm(directory, { recursive: true, force: true });
});

/** A store whose methods can be replaced. */
interface Loosened {
  readonly log: { -readonly [K in keyof LogStore]: LogStore[K] };
  readonly conversations: { -readonly [K in keyof ConversationStore]: ConversationStore[K] };
}

/** What a test does to a running server, and, once messages have been sent, to what it has stored. */
interface Bug {
  readonly plant?: (server: TestServer) => void;
  readonly afterwards?: (server: TestServer, conversationId: string) => Promise<void>;
  /** What is wrong with reading it. */
  readonly read?: (store: Loosened) => void;
}

/** Two people write, a third one on the base layer, a fourth comes late; answers the kinds of faults that are found. */
async function faultsWith({ plant, afterwards, read }: Bug, patienceMs = IMPATIENT_MS): Promise<FaultKind[]> {
  const server = await startServer({ directory, settings: CRASH_SETTINGS, assistant: createScripted() });
  const { store } = server.context;
  const people = await settleIn(store, ['ann', 'bob', 'cyd', 'dot']);
  const talk = await openConversation(store, people);
  plant?.(server);
  const history: Entry[] = [];
  const [ann, bob, cyd, dot] = people.map(({ id, token, username }) => {
    return { name: username, url: server.url, user_id: id, token, conversations: [talk] };
  });
  const base = new BaseClient(cyd!, history);
  const early = [new OutboxClient(ann!, history), new OutboxClient(bob!, history)];
  const clients = [...early, base];
  await until(() => clients.every(({ isCaughtUp }) => isCaughtUp), 5_000, 'everybody there');
  for (let count = 0; count < MESSAGES; count += 1) for (const client of clients) client.send(QUESTION, talk);
  const isCalm = async () => clients.every(({ waiting }) => waiting === 0) && (await early[0]!.isQuiet());
  await until(isCalm, patienceMs, 'calm').catch(() => undefined);
  await afterwards?.(server, talk);
  const late = new OutboxClient(dot!, history);
  await until(() => late.isCaughtUp, 1_000, 'the late one there').catch(() => undefined);
  await Promise.all([...early, late].map((client) => client.settle(patienceMs / 10)));
  await base.settle();
  for (const client of [...clients, late]) client.close();
  await server.close();
  return check(history, people, read);
}

async function check(
  history: readonly Entry[],
  people: readonly { id: string }[],
  read: Bug['read'],
): Promise<FaultKind[]> {
  const store = await openStore(directory);
  read?.(store);
  const drained = await drain(
    store,
    people.map(({ id }) => id),
  );
  await store.close();
  return [...new Set(checkRun(history, drained).map(({ kind }) => kind))];
}

/** Wraps the store's append: what the event looks like, whether it is stored, and what is answered. */
function wrapAppend(
  store: Store,
  wrapped: (given: NewEvent, append: () => Promise<AppendResult>, count: number) => Promise<AppendResult>,
): void {
  const { log }: Loosened = store;
  const append = log.append.bind(log);
  let count = 0;
  log.append = (given) => wrapped(given, () => append(given), (count += 1));
}

/** Each message is stored, and its sender is told that it was not: the sender repeats it. */
function loseFirstAnswers(store: Store, repeated = (result: AppendResult) => result): void {
  const seen = new Set<string>();
  wrapAppend(store, async ({ client_msg_id }, append) => {
    const result = await append();
    if (!client_msg_id || seen.has(client_msg_id)) return repeated(result);
    seen.add(client_msg_id);
    throw new ChatError('unavailable', { retry_after_ms: 50 });
  });
}

function sql(statement: string): void {
  const db = new DatabaseSync(join(directory, DATABASE_FILE), { timeout: 5_000 });
  db.exec(statement);
  db.close();
}

type Emit = (this: object, name: string, ...values: unknown[]) => boolean;

/** Wraps what every room's emit goes through. */
function wrapEmit(wrapped: (name: string, emit: () => void, count: number) => void): void {
  const io = new Server();
  const operator = Object.getPrototypeOf(io.local) as { emit: Emit };
  const { emit } = operator;
  const counts = new Map<string, number>();
  operator.emit = function (name, ...values) {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    wrapped(name, () => void emit.call(this, name, ...values), count);
    return true;
  };
  undo.push(() => {
    operator.emit = emit;
  });
}

const answerOf = ({ event }: NewEvent) => (event.type === 'message_created' && event.data.ends_task ? event : null);

const bugs: [string, FaultKind, Bug][] = [
  [
    'the acknowledgement leaves before the commit, and the process ends before it',
    'lost',
    {
      plant: ({ context }) =>
        wrapAppend(context.store, (_given, append, count) =>
          count > 30 ? Promise.resolve({ status: 'appended' }) : append(),
        ),
    },
  ],
  [
    'there is no unique index on client_msg_id',
    'dup',
    {
      plant({ context }) {
        sql('DROP INDEX events_by_client_msg_id');
        loseFirstAnswers(context.store);
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
          if (count === 20) event.seq += 1;
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
        wrapEmit((name, emit, count) => {
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
      plant: () => sql('DROP INDEX events_by_ended_task'),
      async afterwards({ context }, conversationId) {
        const events = await context.store.log.read(conversationId, 0, 100);
        const ended = events.map(endOf).find((end) => end !== null)!;
        await endTask(context, conversationId, { ...ended, status: 'cancelled' });
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
    'stream',
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
      plant: () =>
        sql(
          'CREATE TRIGGER planted BEFORE UPDATE OF status ON tasks WHEN NEW.ended_seq > 50 BEGIN SELECT RAISE(IGNORE); END',
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
    expect(await faultsWith({}, PATIENT_MS)).toEqual([]);
  });

  test('the checker finds nothing where first answers are lost', async () => {
    expect(await faultsWith({ plant: ({ context }) => loseFirstAnswers(context.store) }, PATIENT_MS)).toEqual([]);
  });

  test.each(bugs)('the checker catches it where %s', async (_bug, kind, bug) => {
    expect(await faultsWith(bug)).toContain(kind);
  });
});
