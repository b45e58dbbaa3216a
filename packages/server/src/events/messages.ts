import type { Author, JsonObject, Message, StartedTask, TaskFields } from '@tertulia/protocol';
import { newId } from '../ids.ts';

/** The longest title that is made from a message's start. */
const TITLE_CHARACTERS = 60;

/** What a new message is made of. */
export interface MessageParts {
  readonly conversationId: string;
  readonly role: Message['role'];
  readonly content: string;
  readonly metadata: JsonObject;
  readonly author: Author;
  readonly taskId: string | null;
}

/** A new message without its place in the log: made once, before the first try to store it. */
export function newMessage(parts: MessageParts): Omit<Message, 'seq'> {
  return {
    id: newId(),
    role: parts.role,
    content: parts.content,
    metadata: parts.metadata,
    timestamp: Date.now() / 1000,
    conversation_id: parts.conversationId,
    task_id: parts.taskId,
    author: parts.author,
  };
}

/** A new task with every field at its default but for those given. */
export function newTask(userId: string, assistant: string, fields: Partial<TaskFields> = {}): StartedTask {
  return {
    id: newId(),
    user_id: userId,
    assistant,
    title: null,
    description: null,
    priority: 'medium',
    category: null,
    tags: [],
    completion_percentage: 0,
    estimated_duration: null,
    metadata: {},
    ...fields,
  };
}

/** A conversation is titled by its first message's start: one line, cut at a word. */
export function titleOf(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  const characters = [...line];
  if (characters.length <= TITLE_CHARACTERS) return line;
  const cut = characters.slice(0, TITLE_CHARACTERS - 1).join('');
  const word = cut.lastIndexOf(' ');
  return `${word > TITLE_CHARACTERS / 2 ? cut.slice(0, word) : cut}…`;
}
