import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConversationEvent } from '@tertulia/protocol';
import type { Store } from '../../src/store/store.ts';
import { freePort, ServerProcess } from './server-process.ts';
import { CRASH_SETTINGS } from './settings.ts';
import type { FromClients, StormClient, ToClients } from './storm-messages.ts';
import { spread } from './summary.ts';
import { openConversation, openStore, settleIn, type Inhabitant } from './world.ts';

const CLIENTS = 1_000;
const PROCESSES = 2;
const PEOPLE = 50;
const MEMBERS = 3;
/** Linux answers on all of 127.0.0.0/8. */
const ADDRESSES = process.platform === 'linux' ? 20 : 1;
/** Messages in each conversation before the storm, and those that its clients have missed. */
const BEFORE = 50;
const BACKLOG = 20;
const ALL_BACK_MS = 60_000;
const ENTRY = fileURLToPath(new URL('./storm-clients.ts', import.meta.url));

let directory = '';
let server: ServerProcess | undefined;
let children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tertulia-storm-'));
  children = Array.from({ length: PROCESSES }, () => fork(ENTRY, { execPath: process.execPath, execArgv: [] }));
});

afterEach(async () => {
  for (const child of children) child.send({ kind: 'end' } satisfies ToClients);
  await server?.kill();
  await rm(directory, { recursive: true, force: true });
});

interface Shared {
  readonly id: string;
  readonly members: readonly Inhabitant[];
}

async function makeWorld(): Promise<{ people: Inhabitant[]; shared: Shared[] }> {
  const store = await openStore(directory);
  const people = await settleIn(
    store,
    Array.from({ length: PEOPLE }, (_, index) => `person-${index}`),
  );
  const shared = await Promise.all(
    people.map(async (_, index) => {
      const members = Array.from({ length: MEMBERS }, (_unused, next) => people[(index + next) % PEOPLE]!);
      return { members, id: await openConversation(store, members) };
    }),
  );
  await store.close();
  await write(shared, BEFORE);
  return { people, shared };
}

/** Messages that were written while nobody was connected. */
async function write(shared: readonly Shared[], count: number): Promise<void> {
  const store = await openStore(directory);
  await Promise.all(shared.map((conversation) => writeInto(store, conversation, count)));
  await store.close();
}

async function writeInto(store: Store, { id, members: [author] }: Shared, count: number): Promise<void> {
  const last = await store.log.lastSeq(id);
  for (let seq = last + 1; seq <= last + count; seq += 1) {
    const event = messageEvent(id, seq, author!);
    await store.log.append({ event, sender: author!.id, client_msg_id: `m-${seq}`, ends_task: null, claim: null });
  }
}

function messageEvent(conversation_id: string, seq: number, { id, username }: Inhabitant): ConversationEvent {
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

function clientsOf(people: readonly Inhabitant[], shared: readonly Shared[]): StormClient[] {
  return Array.from({ length: CLIENTS }, (_, index) => {
    const person = people[index % PEOPLE]!;
    const conversations = shared.filter(({ members }) => members.includes(person)).map(({ id }) => id);
    return { token: person.token, address: `127.0.0.${1 + (index % ADDRESSES)}`, conversations };
  });
}

/** Waits until every client has joined and is at the ends of its conversations. */
async function allBack(shared: readonly Shared[], seq: number): Promise<{ back: number[]; faults: string[] }> {
  const targets = Object.fromEntries(shared.map(({ id }) => [id, seq]));
  const signal = AbortSignal.timeout(ALL_BACK_MS);
  const answers = await Promise.all(
    children.map(async (child) => {
      const answer = once(child, 'message', { signal });
      child.send({ kind: 'expect', targets } satisfies ToClients);
      const [told]: FromClients[] = await answer;
      return told!;
    }),
  );
  return { back: answers.flatMap(({ back }) => back), faults: answers.flatMap(({ faults }) => faults) };
}

test(
  'a thousand clients that come back at once after a crash are all there again with all they missed',
  { timeout: 180_000 },
  async () => {
    const { people, shared } = await makeWorld();
    const options = { directory, port: await freePort(), settings: { ...CRASH_SETTINGS, ASSISTANT: 'none' } };
    server = await ServerProcess.start(options);
    const url = `http://127.0.0.1:${options.port}`;
    for (const [index, child] of children.entries()) {
      const clients = clientsOf(people, shared).filter((_, number) => number % PROCESSES === index);
      child.send({ kind: 'connect', url, clients } satisfies ToClients);
    }
    await allBack(shared, MEMBERS + BEFORE);
    await server.kill();
    await write(shared, BACKLOG);
    server = await ServerProcess.start(options);
    const listening = performance.timeOrigin + performance.now();
    const { back, faults } = await allBack(shared, MEMBERS + BEFORE + BACKLOG);
    console.log(
      `${CLIENTS} clients back after a restart, each ${MEMBERS} conversations with ${BACKLOG} missed messages, ms since it listened:`,
    );
    console.log(`  ${spread(back.map((at) => at - listening))}`);
    expect(back).toHaveLength(CLIENTS);
    expect(faults.slice(0, 10)).toEqual([]);
  },
);
