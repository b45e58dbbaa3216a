import type { Author, ConversationEvent, EndedTask, Message, StartedTask, Task } from '@tertulia/protocol';
import { newTask } from '../../src/events/messages.ts';
import { endOf, startOf } from '../../src/store/store.ts';
import { printOf, type Entry, type EntryOf } from './history.ts';

/** A run that a test may spoil. */
export interface SampleRun {
  history: Entry[];
  drained: { logs: Map<string, ConversationEvent[]>; messages: Map<string, Message[]>; tasks: Task[] };
}

const ID = 'talk';
const CREATED_AT = '2026-01-01T00:00:00.000Z';
const ASSISTANT: Author = { kind: 'assistant', id: 'scripted', name: 'scripted' };
const person = (name: string): Author => ({ kind: 'user', id: name, name });

/** Ann and Bob on protocol 1 and Cy on the base layer: four messages, three answers and a failure, and all is well. */
export function sampleRun(): SampleRun {
  const log = [
    opened(),
    added(2, 'bob'),
    added(3, 'cy'),
    asked(4, 'ann', 'ann-1', 't1'),
    answered(5, 't1', 'first answer'),
    asked(6, 'bob', 'bob-1', 't2'),
    answered(7, 't2', 'second answer'),
    asked(8, 'ann', 'ann-2', 't3'),
    failed(9, 't3'),
    asked(10, 'cy', 'cy-1', 't4'),
    answered(11, 't4', 'third answer'),
  ];
  const messages = log.flatMap((event) => messageOf(event) ?? []);
  const tasks = log.flatMap((event) => {
    const started = startOf(event);
    return started ? [taskOf(started, log, messages)] : [];
  });
  return {
    history: historyOf(log, tasks),
    drained: { logs: new Map([[ID, log]]), messages: new Map([[ID, messages]]), tasks },
  };
}

/** The sample's only log. */
export function logOf({ drained }: SampleRun): ConversationEvent[] {
  return drained.logs.get(ID)!;
}

const envelope = (seq: number, actor: Author) => ({ conversation_id: ID, seq, actor, created_at: CREATED_AT });

function opened(): ConversationEvent {
  const owner = { user_id: 'ann', username: 'ann', role: 'owner', joined_at: CREATED_AT } as const;
  const data = { title: 'Talk', description: null, metadata: {}, is_active: true, owner };
  return { ...envelope(1, person('ann')), type: 'conversation_created', data };
}

function added(seq: number, name: string): ConversationEvent {
  const member = { user_id: name, username: name, role: 'member', joined_at: CREATED_AT } as const;
  return { ...envelope(seq, person('ann')), type: 'member_joined', data: { member } };
}

/** Somebody is a member no more. */
export function removed(seq: number, name: string): ConversationEvent {
  return { ...envelope(seq, person('ann')), type: 'member_left', data: { user_id: name, username: name } };
}

/** A message that starts a task. */
export function asked(seq: number, user: string, mark: string, taskId: string): ConversationEvent {
  const message = newMessageAt(seq, 'user', `${mark} what?`, taskId, person(user));
  return {
    ...envelope(seq, person(user)),
    type: 'message_created',
    data: { message, task: { ...newTask(user, 'scripted'), id: taskId } },
  };
}

/** The answer that ends a task. */
export function answered(seq: number, taskId: string, content: string): ConversationEvent {
  const message = newMessageAt(seq, 'assistant', content, taskId, ASSISTANT);
  const ends_task: EndedTask = { id: taskId, attempt: 1, status: 'completed', error: null };
  return { ...envelope(seq, ASSISTANT), type: 'message_created', data: { message, ends_task } };
}

function failed(seq: number, taskId: string): ConversationEvent {
  const error = { code: 'assistant_failed', message: 'It could not.' } as const;
  const task: EndedTask = { id: taskId, attempt: 2, status: 'failed', error, partial_text: 'so fa' };
  return { ...envelope(seq, ASSISTANT), type: 'task_ended', data: { task } };
}

function newMessageAt(seq: number, role: Message['role'], content: string, task_id: string, author: Author): Message {
  const id = `message-${seq}`;
  return { id, role, content, metadata: {}, timestamp: seq, seq, conversation_id: ID, task_id, author };
}

function messageOf(event: ConversationEvent): Message | undefined {
  return 'message' in event.data ? event.data.message : undefined;
}

function taskOf(started: StartedTask, log: readonly ConversationEvent[], messages: readonly Message[]): Task {
  const { assistant, ...fields } = started;
  const [user_message, ...assistant_responses] = messages.filter(({ task_id }) => task_id === started.id);
  const end = log.map(endOf).find((found) => found?.id === started.id);
  if (!user_message || !end) throw new Error(`${assistant} has no such task in the sample`);
  const times = { actual_duration: 1, created_at: CREATED_AT, updated_at: CREATED_AT, ended_at: CREATED_AT };
  const { status, attempt, error } = end;
  return { ...fields, conversation_id: ID, status, attempt, error, user_message, assistant_responses, ...times };
}

function historyOf(log: readonly ConversationEvent[], tasks: readonly Task[]): Entry[] {
  const history: Entry[] = [];
  const told: EntryOf<'event'>[] = [];
  for (const client of ['ann', 'bob', 'cy']) {
    history.push({ at: 0, client, kind: 'connected', connection: 1, node: null, user_id: client });
  }
  for (const client of ['ann', 'bob']) {
    history.push({ at: 0, client, kind: 'joined', connection: 1, conversation_id: ID, seq: 1 });
    for (const event of log) {
      const { seq } = event;
      const seen = { conversation_id: ID, seq, print: printOf(event) };
      told.push({ at: seq * 10, client, kind: 'event', connection: 1, via: seq === 1 ? 'page' : 'live', ...seen });
    }
  }
  history.push(...told, ...log.flatMap(sent), ...streamsTo('ann'), ...exchangesTo('cy', tasks));
  for (const client of ['ann', 'bob']) {
    const events = log.map((event) => ({ seq: event.seq, print: printOf(event) }));
    history.push({ at: 100, client, kind: 'view', connection: 1, conversation_id: ID, events });
  }
  history.push({ at: 100, client: 'cy', kind: 'last_connection', connection: 1 });
  return history;
}

function sent(event: ConversationEvent): Entry[] {
  const message = messageOf(event);
  if (message?.role !== 'user') return [];
  const client = message.author.id;
  const client_msg_id = message.content.split(' ', 1)[0]!;
  const at = event.seq * 10;
  const place = { conversation_id: ID, seq: event.seq, message_id: message.id, task_id: message.task_id! };
  const told = { client_msg_id, user_id: client, conversation_id: ID, content: message.content };
  return [
    { at: at - 5, client, kind: 'invoke', ...told },
    { at, client, kind: 'ok', client_msg_id, connection: 1, ...place },
  ];
}

function streamsTo(client: string): Entry[] {
  const stream = { at: 25, client, connection: 1, task_id: 't1', attempt: 1 };
  const cutOff = { at: 65, client, connection: 1, task_id: 't3', attempt: 2, index: 0, text: 'so far' };
  return [
    { kind: 'stream_start', ...stream },
    { kind: 'piece', ...stream, index: 0, text: 'first' },
    { kind: 'piece', ...stream, index: 5, text: ' answer' },
    { kind: 'stream_end', ...stream, status: 'completed' },
    { kind: 'piece', ...cutOff },
  ];
}

function exchangesTo(client: string, tasks: readonly Task[]): Entry[] {
  return tasks.map((task): Entry => {
    const answer = { at: 95, client, connection: 1, task_id: task.id };
    const print = printOf([task.user_message, ...task.assistant_responses]);
    return task.status === 'failed' ? { ...answer, kind: 'exchange_failed' } : { ...answer, kind: 'exchange', print };
  });
}
