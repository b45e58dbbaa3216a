import type { Author, Message } from '@tertulia/protocol';

/** What an assistant is told about the question that it is to answer. */
export interface AssistantRequest {
  /** The conversation's id and title. */
  readonly conversation: { readonly id: string; readonly title: string };
  /** The newest messages up to the question, oldest first; the last one is the question. */
  readonly messages: readonly Message[];
  /** Who asked. */
  readonly user: Author;
  /** The task's id, and which attempt at it this is (1, 2 or 3): an earlier one was cut off. */
  readonly task: { readonly id: string; readonly attempt: number };
  /** Aborted when nobody wants the answer any more (cancelled, deadline, shutdown): stop and return. */
  readonly signal: AbortSignal;
}

/** A piece of an answer: text to append. A plain string is the same as `{type: 'text', text}`. */
export type AnswerPart = string | { readonly type: 'text'; readonly text: string };

/**
 * Answers questions. It knows nothing of sockets or stores: it is asked, and yields the answer's parts as they
 * come. What it throws ends the task as failed, with `assistant_failed` for people and the cause in the log.
 */
export interface Assistant {
  /** Shown as the author of its answers: 1 to 50 characters. */
  readonly name: string;
  reply(request: AssistantRequest): AsyncIterable<AnswerPart>;
  /** Releases what it holds (file watchers, connections) when the server stops. */
  close?(): Promise<void>;
}
