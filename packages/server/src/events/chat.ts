import { isDeepStrictEqual } from 'node:util';
import {
  ChatError,
  codePoints,
  type ClientAck,
  type ConversationEvent,
  type EndedTask,
  type JsonObject,
  type Message,
  type StartedTask,
  type TaskFields,
  type User,
} from '@tertulia/protocol';
import { BEGIN_ONE, noConversation } from '../delivery/no-conversation.ts';
import { derivedConversationId, newConversationId } from '../ids.ts';
import { messageOf, startOf, type ConversationView, type NewEvent } from '../store/store.ts';
import { authorOf, type Context } from './context.ts';
import { newMessage, newTask, titleOf } from './messages.ts';

/** A message to send, as the socket's `chat`, REST's `chat` and REST's `tasks` give it. */
export interface ChatRequest {
  readonly message: string;
  readonly conversation_id?: string | null | undefined;
  readonly metadata?: JsonObject | null | undefined;
  readonly client_msg_id?: string | null | undefined;
  readonly task_fields?: Partial<TaskFields> | undefined;
}

type ChatAnswer = ClientAck<'chat'>;

/** Where a message goes: the conversation it names, or the one that this message opens, whose id a repeat finds again. */
export interface ChatTarget {
  readonly conversationId: string;
  readonly isNew: boolean;
}

/** Finds out where a message goes, without looking whether the user may send there. */
export function chatTarget(user: Pick<User, 'id'>, request: ChatRequest): ChatTarget {
  const given = request.conversation_id ?? null;
  if (given !== null) return { conversationId: given, isNew: false };
  const clientMsgId = request.client_msg_id ?? null;
  const conversationId = clientMsgId === null ? newConversationId() : derivedConversationId(user.id, clientMsgId);
  return { conversationId, isNew: true };
}

/**
 * Stores a user's message and the task of answering it in one commit, and starts the task. A repeat of the same
 * `client_msg_id` gets the first answer again (G2).
 * @throws {ChatError} `too_large`, `not_found`, `too_many_tasks`, `idempotency_conflict`, `unavailable`
 */
export async function chat(
  context: Context,
  user: User,
  request: ChatRequest,
  target = chatTarget(user, request),
): Promise<ChatAnswer> {
  const started = performance.now();
  refuseLongText(request.message, context.config.MESSAGE_MAX);
  const event = await store(context, user, request, target).catch((error: unknown) =>
    firstOf(context, user, request, target, error),
  );
  const answer = toAnswer(event, request);
  report(context, user, request, answer, performance.now() - started);
  return answer;
}

/** Stores the message, or finds it stored before, and starts its task. */
async function store(
  context: Context,
  user: User,
  request: ChatRequest,
  target: ChatTarget,
): Promise<ConversationEvent> {
  const { tasks, conversations } = context;
  const { conversationId } = target;
  const task = newTask(user.id, tasks.assistantName, request.task_fields);
  const message = newMessage({
    conversationId,
    role: 'user',
    content: request.message,
    metadata: request.metadata ?? {},
    author: authorOf(user),
    taskId: task.id,
  });
  const clientMsgId = request.client_msg_id ?? null;
  const place = await tasks.prepare(user.id, task.id);
  try {
    const { event, status } = await conversations.append(conversationId, (view, seq) => {
      if (!mayWrite(view, user.id, target.isNew)) throw noConversation(target.isNew ? '' : BEGIN_ONE);
      const claim = place.take(view);
      return newEvent({ user, view, seq, task, message, clientMsgId, claim, end: tasks.immediateEnd(task.id) });
    });
    if (status === 'appended') place.start(event);
    else place.cancel();
    return event;
  } catch (error) {
    place.cancel();
    throw error;
  }
}

/** With a full queue a repeat still gets the first answer: its message was stored. @throws what was thrown, otherwise */
async function firstOf(
  context: Context,
  user: User,
  request: ChatRequest,
  target: ChatTarget,
  error: unknown,
): Promise<ConversationEvent> {
  const isFull = error instanceof ChatError && error.code === 'too_many_tasks';
  if (!isFull || !request.client_msg_id) throw error;
  const first = await context.store.log.find(target.conversationId, user.id, request.client_msg_id);
  if (!first) throw error;
  return first;
}

function report(
  { log, metrics }: Context,
  user: User,
  request: ChatRequest,
  answer: ChatAnswer,
  milliseconds: number,
): void {
  metrics.chatStored.observe(milliseconds / 1000);
  log.info(
    {
      user_id: user.id,
      task_id: answer.task_id,
      conversation_id: answer.conversation_id,
      message_length: request.message.length,
      processing_time_ms: Math.round(milliseconds * 100) / 100,
    },
    'Chat message processed',
  );
}

/** @throws {ChatError} `too_large`, naming the limit in code points. */
export function refuseLongText(text: string, max: number): void {
  if (text.length <= max) return; // code points are never more than UTF-16 units
  if (codePoints(text) > max) throw new ChatError('too_large', { limit: `${max} code points` });
}

function mayWrite(view: ConversationView | null, userId: string, isNew: boolean): boolean {
  return view ? view.members.has(userId) : isNew;
}

interface ChatEventParts {
  readonly user: User;
  readonly view: ConversationView | null;
  readonly seq: number;
  readonly task: StartedTask;
  readonly message: Omit<Message, 'seq'>;
  readonly clientMsgId: string | null;
  readonly claim: NewEvent['claim'];
  readonly end: EndedTask | null;
}

function newEvent({ user, view, seq, task, message, clientMsgId, claim, end }: ChatEventParts): NewEvent {
  const created_at = new Date(message.timestamp * 1000).toISOString();
  const envelope = { conversation_id: message.conversation_id, seq, actor: authorOf(user), created_at };
  const data = {
    message: { ...message, seq },
    task,
    ...(clientMsgId !== null ? { client_msg_id: clientMsgId } : {}),
    ...(end ? { ends_task: end } : {}),
  };
  const event: ConversationEvent = view
    ? { ...envelope, type: 'message_created', data }
    : {
        ...envelope,
        type: 'conversation_created',
        data: {
          title: titleOf(message.content),
          description: null,
          metadata: {},
          is_active: true,
          owner: { user_id: user.id, username: user.username, role: 'owner', joined_at: created_at },
          ...data,
        },
      };
  return { event, sender: user.id, client_msg_id: clientMsgId, ends_task: end?.id ?? null, claim };
}

/** A repeat must be the same message; its answer is the first one's. */
function toAnswer(event: ConversationEvent, request: ChatRequest): ChatAnswer {
  const message = messageOf(event);
  const task = startOf(event);
  const same = message?.content === request.message && isDeepStrictEqual(message.metadata, request.metadata ?? {});
  if (!message || !task || !same) {
    throw new ChatError('idempotency_conflict', request.client_msg_id ? { client_msg_id: request.client_msg_id } : {});
  }
  return { task_id: task.id, conversation_id: event.conversation_id, user_message: message, seq: event.seq };
}
