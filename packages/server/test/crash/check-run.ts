import { checkAccess } from './check-access.ts';
import { checkBaseLayer } from './check-base-layer.ts';
import { checkSends } from './check-sends.ts';
import { checkTasks } from './check-tasks.ts';
import { checkViews } from './check-views.ts';
import { printOf, type Drained, type Entry, type Fault } from './history.ts';

/** Everything that is wrong with a run: what its clients did and saw, against what the database has at the end. */
export function checkRun(history: readonly Entry[], drained: Drained): Fault[] {
  return [
    ...checkLogs(drained),
    ...checkSends(history, drained),
    ...checkViews(history, drained),
    ...checkTasks(history, drained),
    ...checkBaseLayer(history, drained),
    ...checkAccess(history, drained),
  ];
}

/** Each log is 1, 2, 3… and the messages as they stand are those of the log. */
function checkLogs({ logs, messages }: Drained): Fault[] {
  return [...logs].flatMap(([id, events]) => {
    const faults: Fault[] = [];
    const wrong = events.findIndex((event, index) => event.seq !== index + 1);
    if (wrong >= 0)
      faults.push({ kind: 'hole', detail: `the log of ${id} has ${events[wrong]!.seq} at place ${wrong + 1}` });
    const inLog = events.flatMap((event) =>
      'message' in event.data && event.data.message ? [event.data.message] : [],
    );
    if (printOf(inLog) !== printOf(messages.get(id) ?? [])) {
      faults.push({ kind: 'diverge', detail: `the messages of ${id} are not those of its log` });
    }
    return faults;
  });
}
