import type { ConversationEvent, EndedTask, Message, Task } from '@tertulia/protocol';
import { endOf, startOf } from '../../src/store/store.ts';
import { entriesOf, groupBy, printOf, type Drained, type Entry, type EntryOf, type Fault } from './history.ts';

interface Ending {
  readonly event: ConversationEvent;
  readonly end: EndedTask;
}

/** Each task has exactly one end, stands as it ended, and its streamed text is its stored text (G5, G6). */
export function checkTasks(history: readonly Entry[], drained: Drained): Fault[] {
  const events = [...drained.logs.values()].flat();
  const endings = groupBy(
    events.flatMap((event): Ending[] => {
      const end = endOf(event);
      return end ? [{ event, end }] : [];
    }),
    ({ end }) => end.id,
  );
  const started = new Map(events.flatMap((event) => (startOf(event) ? [[startOf(event)!.id, event] as const] : [])));
  return [
    ...[...started.keys()].flatMap((id) => checkEnds(id, endings.get(id) ?? [])),
    ...[...endings].flatMap(([id, [first]]) => checkBegun(id, started.get(id), first!.event)),
    ...checkTaskViews(drained, started, endings, events),
    ...checkStreams(history, endings),
  ];
}

function checkEnds(id: string, endings: readonly Ending[]): Fault[] {
  return endings.length === 1 ? [] : [{ kind: 'task', detail: `task ${id} has ${endings.length} ends` }];
}

function checkBegun(id: string, start: ConversationEvent | undefined, end: ConversationEvent): Fault[] {
  return start && start.seq <= end.seq ? [] : [{ kind: 'task', detail: `task ${id} ended before it began` }];
}

function checkTaskViews(
  { tasks }: Drained,
  started: ReadonlyMap<string, ConversationEvent>,
  endings: ReadonlyMap<string, readonly Ending[]>,
  events: readonly ConversationEvent[],
): Fault[] {
  const views = new Map(tasks.map((task) => [task.id, task]));
  const messages = groupBy(
    events.flatMap((event) => messageOf(event) ?? []),
    (message) => message.task_id ?? '',
  );
  return [...started.keys()].flatMap((id): Fault[] => {
    const view = views.get(id);
    if (!view) return [{ kind: 'diverge', detail: `task ${id} is in the log and not among the tasks` }];
    const difference = differenceOf(view, endings.get(id)?.[0]?.end, messages.get(id) ?? []);
    return difference ? [{ kind: 'task', detail: `task ${id}: ${difference} is otherwise than in the log` }] : [];
  });
}

function messageOf(event: ConversationEvent): Message | undefined {
  return 'message' in event.data ? event.data.message : undefined;
}

/** Without an end in the log the task is a fault already. */
function differenceOf(view: Task, end: EndedTask | undefined, messages: readonly Message[]): string | null {
  if (end && view.status !== end.status) return 'its status';
  if (end && view.attempt !== end.attempt) return 'its attempt';
  if (end && printOf(view.error) !== printOf(end.error)) return 'its error';
  const exchange = [view.user_message, ...view.assistant_responses];
  return printOf(exchange) === printOf(messages) ? null : 'its exchange';
}

/**
 * Every piece of the attempt that ended the task is the same place of its text, and whoever was there from its start
 * to its end has all of it. (Whoever comes later may miss what is not checkpointed yet, and gets the stored answer.)
 */
function checkStreams(history: readonly Entry[], endings: ReadonlyMap<string, readonly Ending[]>): Fault[] {
  const begun = new Set(entriesOf(history, 'stream_start').map(streamOf));
  const pieces = groupBy(entriesOf(history, 'piece'), streamOf);
  const whole = new Map(entriesOf(history, 'stream_end').map((end) => [streamOf(end), end]));
  const seen = new Map<string, EntryOf<'piece' | 'stream_end'>>(whole);
  for (const [stream, [first]] of pieces) seen.set(stream, first!);
  return [...seen].flatMap(([stream, { task_id, attempt, client }]): Fault[] => {
    const ending = endings.get(task_id)?.[0];
    if (!ending || ending.end.attempt !== attempt) return [];
    const text = finalText(ending);
    const got = pieces.get(stream) ?? [];
    const place = `${client} saw of task ${task_id}, attempt ${attempt},`;
    const wrong = got.find((piece) => !agrees(piece, text, ending.end));
    if (wrong) return [{ kind: 'stream', detail: `${place} other text at ${wrong.index} than was stored` }];
    if (!begun.has(stream) || !whole.has(stream) || reach(got) === text.length) return [];
    return [{ kind: 'gap', detail: `${place} ${reach(got)} units; ${text.length} were stored` }];
  });
}

const streamOf = (entry: EntryOf<'piece' | 'stream_start' | 'stream_end'>) =>
  `${entry.client} ${entry.connection} ${entry.task_id} ${entry.attempt}`;

function finalText({ event, end }: Ending): string {
  return end.status === 'completed' ? (messageOf(event)?.content ?? '') : (end.partial_text ?? '');
}

/** Of an attempt that a crash cut off, the text is what was checkpointed: people may have seen more. */
function agrees({ index, text: piece }: EntryOf<'piece'>, text: string, { status }: EndedTask): boolean {
  const stored = text.slice(index, index + piece.length);
  return status === 'completed' ? stored === piece : piece.startsWith(stored);
}

/** How far the text goes without a gap. */
function reach(pieces: readonly EntryOf<'piece'>[]): number {
  let reached = 0;
  for (const { index, text } of pieces) if (index <= reached) reached = Math.max(reached, index + text.length);
  return reached;
}
