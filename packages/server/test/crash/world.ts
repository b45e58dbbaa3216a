import type { ConversationEvent, Member, Message, Task } from '@tertulia/protocol';
import { createAccessTokens } from '../../src/accounts/access-tokens.ts';
import { newId } from '../../src/ids.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { TEST_SECRET } from '../support/start-http.ts';
import type { Drained } from './history.ts';
import { LONGEST_RUN_MINUTES } from './settings.ts';

/** Somebody of a run, signed in. */
export interface Inhabitant {
  readonly id: string;
  readonly username: string;
  readonly token: string;
}

/** Opens the store of a data folder, which no server uses at the moment unless it is not `exclusive`. */
export function openStore(directory: string, exclusive = true): Promise<SqliteStore> {
  const onFatal = (error: Error) => {
    throw error;
  };
  return SqliteStore.open({ directory, exclusive, onFatal });
}

/** Makes accounts with a login each; nobody knows their passwords, so that nothing is spent on hashing them. */
export async function settleIn(store: Store, usernames: readonly string[]): Promise<Inhabitant[]> {
  const tokens = createAccessTokens({ secret: TEST_SECRET, minutes: LONGEST_RUN_MINUTES });
  return Promise.all(
    usernames.map(async (username) => {
      const id = newId();
      const email = `${username}@example.com`;
      const keys = { username_key: username, email_key: email };
      const rest = {
        full_name: null,
        password_hash: 'none',
        is_superuser: false,
        created_at: new Date().toISOString(),
      };
      await store.accounts.createUser({ id, username, email, ...keys, ...rest });
      const session = {
        id: newId(),
        user_id: id,
        password_generation: 1,
        token_hash: newId(),
        lifetime_ms: LONGEST_RUN_MINUTES * 60_000,
      };
      await store.accounts.createSession({ ...session, address: null, user_agent: null });
      const { token } = await tokens.issue(id, session.id);
      return { id, username, token };
    }),
  );
}

/** Makes a conversation of several people, and answers its id. */
export async function openConversation(store: Store, people: readonly Inhabitant[]): Promise<string> {
  const conversation_id = newId();
  for (const [index, person] of people.entries()) {
    const event = memberEvent(conversation_id, index + 1, person);
    await store.log.append({ event, sender: null, client_msg_id: null, ends_task: null, claim: null });
  }
  return conversation_id;
}

function memberEvent(conversation_id: string, seq: number, { id, username }: Inhabitant): ConversationEvent {
  const created_at = new Date().toISOString();
  const actor = { kind: 'user', id, name: username } as const;
  const member: Member = { user_id: id, username, role: seq === 1 ? 'owner' : 'member', joined_at: created_at };
  const envelope = { conversation_id, seq, actor, created_at };
  if (seq > 1) return { ...envelope, type: 'member_joined', data: { member } };
  const fields = { title: 'Shared', description: null, metadata: {}, is_active: true };
  return { ...envelope, type: 'conversation_created', data: { ...fields, owner: member } };
}

/** A conversation of several people. */
export interface Shared {
  readonly id: string;
  readonly members: readonly Inhabitant[];
}

/** Who talks in a run, and where. */
export interface World {
  readonly people: readonly Inhabitant[];
  readonly chats: readonly Shared[];
  /** Conversations whose answers are streamed slowly. */
  readonly streams: readonly Shared[];
}

/** How large a world is. */
export interface WorldPlan {
  readonly people: readonly string[];
  readonly chats: number;
  readonly streams: number;
  /** People in each conversation. */
  readonly members: number;
}

/** Makes people and their conversations in an empty database. */
export async function makeWorld(store: Store, plan: WorldPlan): Promise<World> {
  const people = await settleIn(store, plan.people);
  const share = async (first: number): Promise<Shared> => {
    const members = Array.from({ length: plan.members }, (_, index) => people[(first + index) % people.length]!);
    return { members, id: await openConversation(store, members) };
  };
  const shareAll = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => share(index)));
  return { people, chats: await shareAll(plan.chats), streams: await shareAll(plan.streams) };
}

/** Reads all that people can reach, past any server. */
export async function drain(store: Store, userIds: readonly string[]): Promise<Drained> {
  const logs = new Map<string, ConversationEvent[]>();
  const messages = new Map<string, Message[]>();
  const tasks: Task[] = [];
  for (const userId of userIds) {
    for (const id of await conversationsOf(store, userId)) {
      if (logs.has(id)) continue;
      logs.set(id, await logOf(store, userId, id));
      messages.set(id, (await store.conversations.messages(userId, id, Number.MAX_SAFE_INTEGER, 1_000_000)) ?? []);
      tasks.push(...(await tasksOf(store, userId, id)));
    }
  }
  return { logs, messages, tasks };
}

async function conversationsOf(store: Store, userId: string): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const query = { skip: ids.length, limit: 100, sort_by: 'created_at', sort_order: 1 } as const;
    const { conversations } = await store.conversations.list(userId, query);
    if (conversations.length === 0) return ids;
    ids.push(...conversations.map(({ id }) => id));
  }
}

async function logOf(store: Store, userId: string, id: string): Promise<ConversationEvent[]> {
  const events: ConversationEvent[] = [];
  for (;;) {
    const page = await store.conversations.events(userId, id, events.at(-1)?.seq ?? 0, 1_000, 10_000_000);
    if (!page || page.events.length === 0) return events;
    events.push(...page.events);
  }
}

async function tasksOf(store: Store, userId: string, conversation_id: string): Promise<Task[]> {
  const all: Task[] = [];
  for (;;) {
    const { tasks } = await store.conversations.tasks(userId, { conversation_id }, { skip: all.length, limit: 1_000 });
    if (tasks.length === 0) return all;
    all.push(...tasks);
  }
}
