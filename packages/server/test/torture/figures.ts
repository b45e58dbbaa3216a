import { entriesOf, type Entry } from '../crash/history.ts';

/** When something was broken: a node, or what all of them share (null). Times are those of the history. */
export interface Moment {
  readonly at: number;
  readonly node: string | null;
}

interface Link {
  node: string | null;
  /** When this client's last message was acknowledged. */
  okAt: number;
  /** Since when nothing it sends is acknowledged. */
  brokenAt: number | null;
}

/**
 * Client gaps in ms: from the moment at which something broke a client's connection until a message of this client was
 * acknowledged again. Where messages were still acknowledged after that moment, the gap begins with the last of them.
 */
export function gapsOf(history: readonly Entry[], moments: readonly Moment[]): number[] {
  const links = new Map<string, Link>();
  const gaps: number[] = [];
  for (const entry of history) {
    const link = links.get(entry.client);
    if (entry.kind === 'connected') {
      if (link) link.node = entry.node;
      else links.set(entry.client, { node: entry.node, okAt: 0, brokenAt: null });
    } else if (entry.kind === 'disconnected' && link) {
      link.brokenAt ??= Math.max(causeOf(entry.at, link, moments), link.okAt);
    } else if (entry.kind === 'ok' && link) {
      if (link.brokenAt !== null) gaps.push(entry.at - link.brokenAt);
      link.brokenAt = null;
      link.okAt = entry.at;
    }
  }
  return gaps;
}

/** When the last thing broke that may have cut a link by `at`; where nothing did, it was then. */
function causeOf(at: number, { node }: Link, moments: readonly Moment[]): number {
  const mayBe = (moment: Moment) => moment.at <= at && (moment.node === null || node === null || moment.node === node);
  return moments.findLast(mayBe)?.at ?? at;
}

/**
 * Cross-node delays in ms: from the first that any client knows of an event until clients on other nodes get it live.
 * `counts`: whether to look at an event that was first known then, on the way from one node to the other.
 */
export function crossNodeDelays(
  history: readonly Entry[],
  counts: (at: number, from: string, to: string) => boolean = () => true,
): number[] {
  const nodes = new Map<string, string | null>();
  const firsts = new Map<string, { at: number; node: string | null }>();
  const delays: number[] = [];
  for (const entry of history) {
    if (entry.kind === 'connected') nodes.set(entry.client, entry.node);
    const isKnown = entry.kind === 'ok' || (entry.kind === 'event' && entry.via === 'live');
    if (!isKnown) continue;
    const node = nodes.get(entry.client) ?? null;
    const place = `${entry.conversation_id}#${entry.seq}`;
    const first = firsts.get(place);
    if (!first) firsts.set(place, { at: entry.at, node });
    else if (entry.kind === 'event' && node && first.node && node !== first.node) {
      if (counts(first.at, first.node, node)) delays.push(entry.at - first.at);
    }
  }
  return delays;
}

/** From the last word of an attempt that was cut off until the next attempt began, in ms, as clients saw it. */
export function takeoversOf(history: readonly Entry[]): number[] {
  const began = new Map<string, number>();
  const lastWord = new Map<string, number>();
  const key = (task_id: string, attempt: number) => `${task_id} ${attempt}`;
  for (const entry of history) {
    if (entry.kind !== 'stream_start' && entry.kind !== 'piece') continue;
    const attempt = key(entry.task_id, entry.attempt);
    if (!began.has(attempt)) began.set(attempt, entry.at);
    // The text so far, which a join gives, begins at 0 and may be old.
    if (entry.kind === 'stream_start' || entry.index > 0) lastWord.set(attempt, entry.at);
  }
  return [...began].flatMap(([attempt, at]) => {
    const [task_id = '', number = ''] = attempt.split(' ');
    const before = lastWord.get(key(task_id, Number(number) - 1));
    return before === undefined ? [] : [Math.max(0, at - before)];
  });
}

/** From the first try of a message until it was acknowledged, in ms. `counts`: whether to look at one tried first then. */
export function sendTimes(history: readonly Entry[], counts: (at: number) => boolean = () => true): number[] {
  const invoked = new Map(entriesOf(history, 'invoke').map(({ client_msg_id, at }) => [client_msg_id, at]));
  return entriesOf(history, 'ok').flatMap(({ client_msg_id, at }) => {
    const from = invoked.get(client_msg_id);
    invoked.delete(client_msg_id);
    return from === undefined || !counts(from) ? [] : [at - from];
  });
}
