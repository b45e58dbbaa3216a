import type { Message } from '@tertulia/protocol';
import { entriesOf, groupBy, markOf, type Drained, type Entry, type EntryOf, type Fault } from './history.ts';

interface Send {
  readonly invoke: EntryOf<'invoke'>;
  readonly oks: readonly EntryOf<'ok'>[];
  readonly isRefused: boolean;
  readonly isUnknown: boolean;
}

/** Each message sent: lost, stored twice, stored otherwise than sent or acknowledged, or out of order (G1, G2, G3). */
export function checkSends(history: readonly Entry[], { logs }: Drained): Fault[] {
  const sends = sendsOf(history);
  const stored = groupBy(userMessages(logs), ({ content }) => markOf(content));
  const faults: Fault[] = [];
  for (const [mark, messages] of stored) {
    const send = sends.get(mark);
    faults.push(...messages.flatMap((message) => phantom(message, send)));
    if (messages.length > 1)
      faults.push({ kind: 'dup', detail: `${mark} stands at ${messages.map(placeOf).join(', ')}` });
  }
  for (const [mark, send] of sends) faults.push(...checkOutcome(mark, send, stored.get(mark)?.[0]));
  return [...faults, ...checkRealTime([...sends.values()])];
}

function sendsOf(history: readonly Entry[]): Map<string, Send> {
  const oks = groupBy(entriesOf(history, 'ok'), (ok) => ok.client_msg_id);
  const refused = new Set(entriesOf(history, 'fail').map((entry) => entry.client_msg_id));
  const unknown = new Set(entriesOf(history, 'unknown').map((entry) => entry.client_msg_id));
  return new Map(
    entriesOf(history, 'invoke').map((invoke) => {
      const id = invoke.client_msg_id;
      return [id, { invoke, oks: oks.get(id) ?? [], isRefused: refused.has(id), isUnknown: unknown.has(id) }];
    }),
  );
}

function userMessages(logs: Drained['logs']): Message[] {
  return [...logs.values()].flat().flatMap((event) => {
    const message = 'message' in event.data ? event.data.message : undefined;
    return message?.role === 'user' ? [message] : [];
  });
}

const placeOf = ({ conversation_id, seq }: { conversation_id: string; seq: number }) => `${conversation_id}#${seq}`;

function phantom(message: Message, send: Send | undefined): Fault[] {
  if (!send) return [{ kind: 'phantom', detail: `nobody sent what stands at ${placeOf(message)}` }];
  const { content, user_id, conversation_id } = send.invoke;
  const isAsSent =
    message.content === content &&
    message.author.id === user_id &&
    (conversation_id === null || conversation_id === message.conversation_id);
  return isAsSent ? [] : [{ kind: 'phantom', detail: `${send.invoke.client_msg_id} was changed on its way` }];
}

function checkOutcome(mark: string, { oks, isRefused, isUnknown }: Send, stored: Message | undefined): Fault[] {
  if (oks.length === 0 && !isRefused && !isUnknown) return [{ kind: 'unresolved', detail: mark }];
  if (isRefused && stored) return [{ kind: 'phantom', detail: `${mark} was refused and stands at ${placeOf(stored)}` }];
  if (oks.length > 0 && !stored)
    return [{ kind: 'lost', detail: `${mark} was acknowledged at ${oks.map(placeOf).join()}` }];
  return oks
    .filter((ok) => placeOf(ok) !== placeOf(stored!) || ok.message_id !== stored!.id || ok.task_id !== stored!.task_id)
    .map((ok) => ({ kind: 'misplaced', detail: `${mark}: ${placeOf(ok)} acknowledged, ${placeOf(stored!)} stored` }));
}

/** What was acknowledged before another message was first sent stands before it. */
function checkRealTime(sends: readonly Send[]): Fault[] {
  const acknowledged = sends.flatMap(({ invoke, oks }) => (oks[0] ? [{ sent: invoke.at, ok: oks[0] }] : []));
  return [...groupBy(acknowledged, ({ ok }) => ok.conversation_id).values()].flatMap((group) => {
    const bySending = group.toSorted((one, other) => one.sent - other.sent);
    const byAck = group.toSorted((one, other) => one.ok.at - other.ok.at);
    let acked = 0;
    let newest = { seq: 0, client_msg_id: '' };
    return bySending.flatMap(({ sent, ok }): Fault[] => {
      for (let next = byAck[acked]; next && next.ok.at < sent; next = byAck[(acked += 1)]) {
        if (next.ok.seq > newest.seq) newest = next.ok;
      }
      if (ok.seq > newest.seq) return [];
      return [
        { kind: 'reorder', detail: `${ok.client_msg_id} stands before ${newest.client_msg_id}, acknowledged earlier` },
      ];
    });
  });
}
