import { describe, expect, test } from 'vitest';
import { checkRun } from './check-run.ts';
import type { Entry, EntryOf, FaultKind } from './history.ts';
import { answered, asked, logOf, removed, sampleRun, type SampleRun } from './sample-run.ts';

/** Entries that stay; the others never happened. */
function without(run: SampleRun, isGone: (entry: Entry) => boolean): void {
  run.history = run.history.filter((entry) => !isGone(entry));
}

/** One entry, otherwise than it was. */
function change<K extends Entry['kind']>(
  run: SampleRun,
  kind: K,
  isIt: (entry: EntryOf<K>) => boolean,
  changes: Partial<EntryOf<K>>,
): void {
  const index = run.history.findIndex((entry) => entry.kind === kind && isIt(entry as EntryOf<K>));
  run.history[index] = { ...run.history[index], ...changes } as Entry;
}

/** The log ends before `seq`, and so do the views: as if it had never been written. */
function cutLog(run: SampleRun, seq: number): void {
  logOf(run).splice(seq - 1);
  const messages = run.drained.messages.get('talk')!;
  messages.splice(messages.findIndex((message) => message.seq >= seq));
  run.drained.tasks = run.drained.tasks.filter((task) => task.user_message.seq < seq);
}

const isView = (client: string) => (entry: EntryOf<'view'>) => entry.client === client;
const isLive = (client: string, seq: number) => (entry: Entry) =>
  entry.kind === 'event' && entry.client === client && entry.seq === seq;

/** Bugs that a server may have, as the histories and databases that they would leave behind. */
const bugs: [string, FaultKind, (run: SampleRun) => void][] = [
  ['the acknowledgement left before the commit, and the commit never came', 'lost', (run) => cutLog(run, 10)],
  ['an event that was seen was taken back', 'phantom', (run) => cutLog(run, 10)],
  [
    'a message stands twice',
    'dup',
    (run) => logOf(run).push(asked(12, 'ann', 'ann-1', 't5'), answered(13, 't5', 'again')),
  ],
  ['a message stands that nobody sent', 'phantom', (run) => logOf(run).push(asked(12, 'ann', 'ann-9', 't5'))],
  [
    'a message was changed on its way',
    'phantom',
    (run) => change(run, 'invoke', () => true, { content: 'ann-1 who?' }),
  ],
  [
    "a message stands under another person's name",
    'phantom',
    (run) => change(run, 'invoke', () => true, { user_id: 'bob' }),
  ],
  [
    'a refused message stands',
    'phantom',
    (run) => {
      without(run, (entry) => entry.kind === 'ok' && entry.client_msg_id === 'ann-1');
      run.history.push({ at: 20, client: 'ann', kind: 'fail', client_msg_id: 'ann-1', code: 'not_found' });
    },
  ],
  [
    'a repeat was answered with another place',
    'misplaced',
    (run) => {
      const first = run.history.find((entry) => entry.kind === 'ok')!;
      run.history.push({ ...first, at: 30, message_id: 'another' });
    },
  ],
  [
    'a message stands before one that was acknowledged before it was sent',
    'reorder',
    (run) => change(run, 'invoke', (entry) => entry.client_msg_id === 'ann-1', { at: 62 }),
  ],
  [
    'events are emitted in the order that they come to hand',
    'reorder',
    (run) => {
      const index = run.history.findIndex(isLive('ann', 6));
      const next = run.history.findIndex(isLive('ann', 7));
      [run.history[index], run.history[next]] = [run.history[next]!, run.history[index]!];
    },
  ],
  ['an event came live twice', 'reorder', (run) => run.history.push(run.history.find(isLive('ann', 11))!)],
  ['an event never came live', 'hole', (run) => without(run, isLive('bob', 7))],
  ['a socket was joined after its page was old', 'hole', (run) => change(run, 'joined', () => true, { seq: 0 })],
  ['the log leaves a seq out', 'hole', (run) => logOf(run).splice(5, 1)],
  [
    'a catch-up page leaves an event out',
    'hole',
    (run) => change(run, 'view', isView('bob'), { events: seenBut(run, (seq) => seq !== 6) }),
  ],
  [
    'the last event never came',
    'hole',
    (run) => change(run, 'view', isView('bob'), { events: seenBut(run, (seq) => seq < 11) }),
  ],
  [
    'two clients have another event at the same place',
    'diverge',
    (run) => change(run, 'event', (entry) => entry.client === 'bob' && entry.seq === 6, { print: 'another' }),
  ],
  ['the messages as they stand are behind the log', 'diverge', (run) => run.drained.messages.get('talk')!.pop()],
  ['a task is missing from the tasks', 'diverge', (run) => run.drained.tasks.pop()],
  ['a task never ended', 'task', (run) => logOf(run).splice(10, 1)],
  ['a task ended twice', 'task', (run) => logOf(run).push(answered(12, 't4', 'and another'))],
  ['a task is still pending after its end', 'task', (run) => spoilTask(run, { status: 'pending' })],
  ['a task lost its answer', 'task', (run) => spoilTask(run, { assistant_responses: [] })],
  ['streamed text is not the stored text', 'stream', (run) => change(run, 'piece', () => true, { text: 'worst' })],
  [
    'a delta was left out',
    'gap',
    (run) => without(run, (entry) => entry.kind === 'piece' && entry.task_id === 't1' && entry.index === 5),
  ],
  [
    'the base layer was never answered',
    'exchange',
    (run) => without(run, (entry) => entry.kind === 'exchange' && entry.task_id === 't4'),
  ],
  [
    'the base layer was answered twice',
    'exchange',
    (run) => run.history.push(run.history.find((entry) => entry.kind === 'exchange')!),
  ],
  [
    'the base layer was answered otherwise',
    'diverge',
    (run) => change(run, 'exchange', () => true, { print: 'another' }),
  ],
  [
    'somebody who is no member hears all',
    'access',
    (run) => change(run, 'connected', (entry) => entry.client === 'bob', { user_id: 'eve' }),
  ],
  ['somebody who is no member writes', 'access', (run) => logOf(run).push(asked(12, 'eve', 'eve-1', 't5'))],
  ['somebody who was removed still hears what is said', 'access', (run) => logOf(run).splice(4, 0, removed(5, 'bob'))],
  [
    'a client forgot a message that it sent',
    'unresolved',
    (run) => without(run, (entry) => entry.kind === 'ok' && entry.client_msg_id === 'bob-1'),
  ],
];

function seenBut(run: SampleRun, isSeen: (seq: number) => boolean) {
  const view = run.history.find((entry) => entry.kind === 'view')!;
  return view.events.filter(({ seq }) => isSeen(seq));
}

function spoilTask(run: SampleRun, changes: object): void {
  run.drained.tasks[0] = { ...run.drained.tasks[0]!, ...changes };
}

describe('the checker', () => {
  test('finds nothing wrong with a run that went well', () => {
    const { history, drained } = sampleRun();
    expect(checkRun(history, drained)).toEqual([]);
  });

  test('accepts a message of unknown fate that stands once, or not at all', () => {
    const run = sampleRun();
    without(run, (entry) => entry.kind === 'ok' && entry.client_msg_id === 'bob-1');
    run.history.push({ at: 50, client: 'bob', kind: 'unknown', client_msg_id: 'bob-1' });
    const told = { client_msg_id: 'bob-2', user_id: 'bob', conversation_id: 'talk', content: 'bob-2 what?' };
    run.history.push({ at: 90, client: 'bob', kind: 'invoke', ...told });
    run.history.push({ at: 99, client: 'bob', kind: 'unknown', client_msg_id: 'bob-2' });
    expect(checkRun(run.history, run.drained)).toEqual([]);
  });

  test.each(bugs)('catches it where %s', (_bug, kind, plant) => {
    const run = sampleRun();
    plant(run);
    expect(checkRun(run.history, run.drained).map((fault) => fault.kind)).toContain(kind);
  });
});
