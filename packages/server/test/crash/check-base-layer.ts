import type { ConversationEvent } from '@tertulia/protocol';
import { endOf } from '../../src/store/store.ts';
import { entriesOf, groupBy, printOf, type Drained, type Entry, type Fault } from './history.ts';

/** Base-layer sockets: each `conversation` once a connection and as stored, and none missing on the one that stayed. */
export function checkBaseLayer(history: readonly Entry[], drained: Drained): Fault[] {
  const ends = new Set([...drained.logs.values()].flat().flatMap((event: ConversationEvent) => endOf(event)?.id ?? []));
  const exchanges = entriesOf(history, 'exchange');
  const failures = entriesOf(history, 'exchange_failed');
  const answered = new Set([...exchanges, ...failures].map(answerOf));
  return [
    ...[...groupBy([...exchanges, ...failures], answerOf)].flatMap(([answer, all]): Fault[] =>
      all.length > 1 ? [{ kind: 'exchange', detail: `${answer} came ${all.length} times` }] : [],
    ),
    ...checkExchanges(exchanges, drained),
    ...entriesOf(history, 'last_connection').flatMap(({ client, connection }) =>
      entriesOf(history, 'ok')
        .filter((ok) => ok.client === client && ok.connection === connection && ends.has(ok.task_id))
        .filter((ok) => !answered.has(answerOf(ok)))
        .map((ok): Fault => ({ kind: 'exchange', detail: `${answerOf(ok)} never came` })),
    ),
  ];
}

const answerOf = (entry: { client: string; connection: number; task_id: string }) =>
  `the answer of task ${entry.task_id} to ${entry.client} on connection ${entry.connection}`;

function checkExchanges(exchanges: readonly { task_id: string; print: string; client: string }[], { tasks }: Drained) {
  const stored = new Map(tasks.map((task) => [task.id, printOf([task.user_message, ...task.assistant_responses])]));
  return exchanges
    .filter(({ task_id, print }) => stored.get(task_id) !== print)
    .map(({ task_id, client }): Fault => ({
      kind: 'diverge',
      detail: `${client} got task ${task_id} otherwise than it is stored`,
    }));
}
