import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ChatError } from '@tertulia/protocol';
import { Server } from 'socket.io';
import { createScripted } from '../../src/assistants/scripted.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/sqlite-store.ts';
import type { AppendResult, ConversationStore, LogStore, NewEvent, Store } from '../../src/store/store.ts';
import { startServer, type TestServer } from '../support/start-server.ts';
import { TestHub } from '../support/test-hub.ts';
import { BaseClient } from './base-client.ts';
import { checkRun } from './check-run.ts';
import type { Entry, FaultKind } from './history.ts';
import { OutboxClient } from './outbox-client.ts';
import { CRASH_SETTINGS } from './settings.ts';
import { until } from './until.ts';
import { drain, openConversation, openStore, settleIn, type Inhabitant } from './world.ts';

const MESSAGES = 6;
const QUESTION = 'what?\nscript: {"steps": [{"text": "so "}, {"delay_ms": 25}, {"text": "be it"}]}';
/** Where a bug is planted, answers may never come. */
const IMPATIENT_MS = 2_000;
/** How long a run without a bug may take. */
export const PATIENT_MS = 30_000;

/** A store whose methods can be replaced. */
export interface Loosened {
  readonly log: { -readonly [K in keyof LogStore]: LogStore[K] };
  readonly conversations: { -readonly [K in keyof ConversationStore]: ConversationStore[K] };
}

/** A run under way: its servers share a database and a bus. */
export interface PlantedRun {
  readonly servers: readonly TestServer[];
  readonly hub: TestHub;
  readonly people: readonly Inhabitant[];
  /** The conversation of all of them. The first one owns it. */
  readonly talk: string;
  /** Of the first two, each on another server where there are several. */
  readonly clients: readonly OutboxClient[];
}

/** What a test does to a running server, and, once messages have been sent, to what it has stored. */
export interface Bug {
  /** Answers how to undo what outlives the server. */
  readonly plant?: (server: TestServer, run: Omit<PlantedRun, 'clients'>) => (() => void) | void;
  readonly afterwards?: (server: TestServer, run: PlantedRun) => Promise<void>;
  /** What is wrong with reading it. */
  readonly read?: (store: Loosened) => void;
}

/** Two people write, a third one on the base layer, a fourth comes late; answers the kinds of faults that are found. */
export async function faultsWith(bug: Bug, { patienceMs = IMPATIENT_MS, servers = 1 } = {}): Promise<FaultKind[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-planted-'));
  try {
    return await runWith(bug, directory, patienceMs, servers);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runWith(bug: Bug, directory: string, patienceMs: number, count: number): Promise<FaultKind[]> {
  const hub = new TestHub();
  const servers = await startAll(directory, count, hub);
  const [server] = servers;
  const { store } = server!.context;
  const people = await settleIn(store, ['ann', 'bob', 'cyd', 'dot']);
  const talk = await openConversation(store, people);
  const undo = bug.plant?.(server!, { servers, hub, people, talk });
  const history: Entry[] = [];
  const [ann, bob, cyd, dot] = people.map(({ id, token, username }, index) => {
    return { name: username, url: servers[index % count]!.url, user_id: id, token, conversations: [talk] };
  });
  const base = new BaseClient(cyd!, history);
  const early = [new OutboxClient(ann!, history), new OutboxClient(bob!, history)];
  const clients = [...early, base];
  await until(() => clients.every(({ isCaughtUp }) => isCaughtUp), 5_000, 'everybody there');
  for (let message = 0; message < MESSAGES; message += 1) for (const client of clients) client.send(QUESTION, talk);
  const isCalm = async () => clients.every(({ waiting }) => waiting === 0) && (await early[0]!.isQuiet());
  await until(isCalm, patienceMs, 'calm').catch(() => undefined);
  await bug.afterwards?.(server!, { servers, hub, people, talk, clients: early });
  const late = new OutboxClient(dot!, history);
  await until(() => late.isCaughtUp, 1_000, 'the late one there').catch(() => undefined);
  await Promise.all([...early, late, base].map((client) => client.settle(patienceMs / 10)));
  for (const client of [...clients, late]) client.close();
  for (const each of servers) await each.close();
  undo?.();
  return check(directory, history, people, bug.read);
}

async function startAll(directory: string, count: number, hub: TestHub): Promise<TestServer[]> {
  const options = { directory, settings: CRASH_SETTINGS };
  if (count === 1) return [await startServer({ ...options, assistant: createScripted() })];
  const servers: TestServer[] = [];
  for (let index = 0; index < count; index += 1) {
    const shared = { sharesFolder: true, bus: hub.connect(), assistant: createScripted() };
    servers.push(await startServer({ ...options, ...shared }));
  }
  return servers;
}

async function check(
  directory: string,
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
export function wrapAppend(
  store: Store,
  wrapped: (given: NewEvent, append: () => Promise<AppendResult>, count: number) => Promise<AppendResult>,
): void {
  const { log }: Loosened = store;
  const append = log.append.bind(log);
  let count = 0;
  log.append = (given) => wrapped(given, () => append(given), (count += 1));
}

/** Messages are stored, and their senders are told that they were not, and repeat them; but for those that run at once. */
export function loseFirstAnswers(store: Store, repeated = (result: AppendResult) => result): void {
  const seen = new Set<string>();
  wrapAppend(store, async ({ client_msg_id, claim }, append) => {
    const result = await append();
    if (!client_msg_id || claim || seen.has(client_msg_id)) return repeated(result);
    seen.add(client_msg_id);
    throw new ChatError('unavailable', { retry_after_ms: 50 });
  });
}

/** Runs SQL on a server's database, past the server. */
export function sql({ directory }: TestServer, statement: string): void {
  const db = new DatabaseSync(join(directory, DATABASE_FILE), { timeout: 5_000 });
  db.exec(statement);
  db.close();
}

type Emit = (this: object, name: string, ...values: unknown[]) => boolean;

/** Wraps what every room's emit goes through; answers what undoes it. */
export function wrapEmit(wrapped: (name: string, emit: () => void, count: number) => void): () => void {
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
  return () => {
    operator.emit = emit;
  };
}
