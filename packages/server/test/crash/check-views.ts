import type { ConversationEvent } from '@tertulia/protocol';
import { entriesOf, groupBy, printOf, type Drained, type Entry, type EntryOf, type Fault } from './history.ts';

type Prints = ReadonlyMap<string, readonly string[]>;

/** What clients saw against the log: each event as it stands, live ones in order without a gap, final views whole (G3, G4). */
export function checkViews(history: readonly Entry[], { logs }: Drained): Fault[] {
  const prints: Prints = new Map([...logs].map(([id, events]) => [id, printsBySeq(events)]));
  return [
    ...entriesOf(history, 'event').flatMap((event) => checkSeen(event, event.client, event.conversation_id, prints)),
    ...checkLive(history),
    ...entriesOf(history, 'view').flatMap((view) => checkFinal(view, prints)),
  ];
}

/** Position `seq - 1` holds the print of the event at `seq`. */
function printsBySeq(events: readonly ConversationEvent[]): string[] {
  const prints: string[] = [];
  for (const event of events) prints[event.seq - 1] = printOf(event);
  return prints;
}

function checkSeen(seen: { seq: number; print: string }, client: string, id: string, prints: Prints): Fault[] {
  const stored = prints.get(id)?.[seen.seq - 1];
  if (stored === seen.print) return [];
  const detail = `${client} saw ${id}#${seen.seq}`;
  return stored === undefined
    ? [{ kind: 'phantom', detail: `${detail}, which is not in the log` }]
    : [{ kind: 'diverge', detail: `${detail} otherwise than the log has it` }];
}

const placeOf = (entry: { client: string; connection: number; conversation_id: string }) =>
  `${entry.client}, connection ${entry.connection}, ${entry.conversation_id}`;

function checkLive(history: readonly Entry[]): Fault[] {
  const joins = new Map(entriesOf(history, 'joined').map((joined) => [placeOf(joined), joined.seq]));
  const live = groupBy(
    entriesOf(history, 'event').filter(({ via }) => via === 'live'),
    placeOf,
  );
  return [...live].flatMap(([place, events]) => {
    const joinedAt = joins.get(place);
    const first = events[0]!.seq;
    const late: Fault[] =
      joinedAt !== undefined && first > joinedAt + 1
        ? [{ kind: 'hole', detail: `${place}: joined at ${joinedAt}, live from ${first}` }]
        : [];
    return [...late, ...events.slice(1).flatMap((event, index) => follows(place, events[index]!.seq, event.seq))];
  });
}

function follows(place: string, before: number, seq: number): Fault[] {
  if (seq === before + 1) return [];
  if (seq > before) return [{ kind: 'hole', detail: `${place}: ${seq} came live after ${before}` }];
  return [{ kind: 'reorder', detail: `${place}: ${seq} came live after ${before}` }];
}

function checkFinal(view: EntryOf<'view'>, prints: Prints): Fault[] {
  const { client, conversation_id, events } = view;
  const place = `${client}, ${conversation_id}`;
  const length = prints.get(conversation_id)?.length ?? 0;
  const faults = events.flatMap((seen) => checkSeen(seen, client, conversation_id, prints));
  let before = 0;
  for (const { seq } of events) {
    if (seq > before + 1)
      faults.push({ kind: 'hole', detail: `${place}: nothing between ${before} and ${seq} at the end` });
    if (seq <= before) faults.push({ kind: 'reorder', detail: `${place}: ${seq} after ${before} at the end` });
    before = seq;
  }
  if (before < length) faults.push({ kind: 'hole', detail: `${place}: ends at ${before} of ${length}` });
  return faults;
}
