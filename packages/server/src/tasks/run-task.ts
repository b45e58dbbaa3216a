import { setImmediate as nextTurn } from 'node:timers/promises';
import { ChatError, type EndedTask, type Message, type TaskError } from '@tertulia/protocol';
import type { AnswerPart, Assistant } from '../assistants/assistant.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { ConversationLog } from '../store/conversation-log.ts';
import type { ConversationView, DueTask, NewEvent, Store } from '../store/store.ts';
import { traced, type Work } from '../tracing.ts';
import type { AnswerStream } from './answer-stream.ts';
import type { RecentMessages } from './recent-messages.ts';
import type { RunStop } from './run-stop.ts';

/** An assistant that yields without ever waiting gives the event loop a turn after this many milliseconds. */
const TURN_MS = 2;
/** The clock is looked at after so many slices: a short answer is stored in the turn that brought it, with all others of it. */
const CHECKED_SLICES = 16;
/** A long part is taken in slices of this many UTF-16 units, so that readers are not sent all of it in one turn. */
const SLICE_UNITS = 4_096;

/** What a run works with. */
export interface RunParts {
  readonly store: Store;
  readonly conversations: ConversationLog;
  readonly delivery: Delivery;
  readonly recent: RecentMessages;
  readonly assistant: Assistant;
  readonly answerMax: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** One attempt at a task under way. */
export interface Run {
  readonly due: DueTask;
  readonly stop: RunStop;
  readonly stream: AnswerStream;
}

/** How a run went: the task has its end, or another attempt is due. */
export type RunResult = 'ended' | 'interrupted';

/**
 * Runs one attempt at a task: streams what the assistant yields and stores the end, which is the whole answer, or a
 * failure that people can see. Where the run itself is broken off it stores nothing. `cause` is the work it follows from.
 */
export function runTask(run: Run, parts: RunParts, cause?: Work): Promise<RunResult> {
  const { conversation_id, attempt, task } = run.due;
  const attributes = { conversation_id, task_id: task.id, attempt, assistant: parts.assistant.name };
  return traced('task run', attributes, () => answer(run, parts), cause);
}

async function answer({ due, stop, stream }: Run, parts: RunParts): Promise<RunResult> {
  const identity = { conversation_id: due.conversation_id, task_id: due.task.id, attempt: due.attempt };
  const started = performance.now();
  parts.delivery.stream('response_start', { ...identity, assistant: parts.assistant.name });
  const failure = await writeAnswer(due, stream, stop, parts);
  stream.finish();
  if (stream.firstTextAt > 0) parts.metrics.firstToken.observe((stream.firstTextAt - started) / 1000);
  if (stop.reason && stop.reason !== 'deadline') {
    const status = stop.reason === 'shutdown' || stop.reason === 'lease_lost' ? 'interrupted' : stop.reason;
    parts.delivery.stream('response_end', { ...identity, status });
    return status === 'interrupted' ? 'interrupted' : 'ended';
  }
  const end = endOfRun(due, stream, failure);
  await storeEnd(due, stream, end, parts);
  parts.delivery.stream('response_end', { ...identity, status: end.status });
  parts.metrics.answered.observe((performance.now() - started) / 1000);
  return 'ended';
}

/** Feeds the stream until the assistant is done or the run is broken off; answers what went wrong, if anything did. */
async function writeAnswer(
  due: DueTask,
  stream: AnswerStream,
  stop: RunStop,
  parts: RunParts,
): Promise<TaskError | null> {
  try {
    const { title, messages } = await parts.recent.upTo(due.conversation_id, due.seq);
    const question = messages.at(-1);
    if (!question) throw new Error(`task ${due.task.id} has no question`);
    const reply = parts.assistant.reply({
      conversation: { id: due.conversation_id, title },
      messages,
      user: question.author,
      task: { id: due.task.id, attempt: due.attempt },
      get signal() {
        return stop.signal;
      },
    });
    await pump(reply, stream, stop);
    if (stop.reason) return timeoutFailure(stop);
    return stream.text === '' ? { code: 'assistant_failed', message: 'The assistant gave no answer.' } : null;
  } catch (error) {
    if (stop.reason) return timeoutFailure(stop);
    logFailure(error, { task_id: due.task.id, attempt: due.attempt }, parts.log);
    return toFailure(error);
  }
}

function timeoutFailure(stop: RunStop): TaskError | null {
  return stop.reason === 'deadline' ? toFailure(new ChatError('assistant_timeout')) : null;
}

/** Only a `ChatError`'s sentence is meant for people; anything else stays in the log. */
function toFailure(error: unknown): TaskError {
  const shown = error instanceof ChatError ? error : new ChatError('assistant_failed');
  return { code: shown.code, message: shown.message };
}

async function pump(reply: AsyncIterable<AnswerPart>, stream: AnswerStream, stop: RunStop): Promise<void> {
  const iterator = reply[Symbol.asyncIterator]();
  let turnStarted = performance.now();
  let slices = 0;
  while (!stop.reason && !stream.isFull) {
    const step = await stop.before(iterator.next());
    if (step === 'stopped' || step.done) break;
    const text = textOf(step.value);
    let start = 0;
    do {
      stream.append(text.slice(start, (start += SLICE_UNITS)));
      slices += 1;
      if (slices % CHECKED_SLICES !== 0 || performance.now() - turnStarted < TURN_MS) continue;
      await nextTurn();
      turnStarted = performance.now();
    } while (start < text.length && !stop.reason && !stream.isFull);
  }
  // Not awaited: an assistant that hangs would hang here too.
  Promise.resolve()
    .then(() => iterator.return?.())
    .catch(() => undefined);
}

/** What an assistant throws may be anything, also something that throws when it is looked at. */
function logFailure(error: unknown, task: { task_id: string; attempt: number }, log: Logger): void {
  try {
    log.warn({ ...task, err: error }, 'assistant failed');
  } catch {
    log.warn(task, 'assistant failed, with an error that cannot be read');
  }
}

/** A developer's own assistant may yield anything; what is no text is its mistake, said in the log. */
function textOf(part: AnswerPart): string {
  const text: unknown = typeof part === 'string' ? part : part?.text;
  if (typeof text !== 'string') throw new TypeError(`the assistant yielded ${typeof part} where text was expected`);
  return text;
}

function endOfRun(due: DueTask, stream: AnswerStream, failure: TaskError | null): EndedTask {
  const status = failure ? 'failed' : 'completed';
  return {
    id: due.task.id,
    attempt: due.attempt,
    status,
    error: failure,
    ...(failure && stream.text !== '' ? { partial_text: stream.text } : {}),
  };
}

async function storeEnd(due: DueTask, stream: AnswerStream, end: EndedTask, parts: RunParts): Promise<void> {
  const answer: Omit<Message, 'seq'> = {
    id: newId(),
    role: 'assistant',
    content: stream.text,
    metadata: stream.isFull ? { truncated: true } : {},
    timestamp: Date.now() / 1000,
    conversation_id: due.conversation_id,
    task_id: due.task.id,
    author: { kind: 'assistant', id: parts.assistant.name, name: parts.assistant.name },
  };
  await parts.conversations.append(due.conversation_id, (view, seq) => endEvent(view, seq, answer, end));
}

/** @throws {ChatError} `task_ended` where somebody else ended or removed it. */
function endEvent(view: ConversationView | null, seq: number, answer: Omit<Message, 'seq'>, end: EndedTask): NewEvent {
  if (!view?.open_tasks.has(end.id)) throw new ChatError('task_ended');
  const envelope = {
    conversation_id: answer.conversation_id,
    seq,
    actor: answer.author,
    created_at: new Date(answer.timestamp * 1000).toISOString(),
  };
  const event = end.error
    ? ({ ...envelope, type: 'task_ended', data: { task: end } } as const)
    : ({ ...envelope, type: 'message_created', data: { message: { ...answer, seq }, ends_task: end } } as const);
  return { event, sender: null, client_msg_id: null, ends_task: end.id, claim: null };
}
