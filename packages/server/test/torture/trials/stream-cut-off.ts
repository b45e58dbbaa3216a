import { setTimeout as delay } from 'node:timers/promises';
import { entriesOf, type Entry } from '../../crash/history.ts';
import { until } from '../../crash/until.ts';
import type { ClusterNode } from '../cluster.ts';
import { takeoversOf } from '../figures.ts';
import { atMost, none, outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';

/** Answers are streamed in some ten pieces each. */
const MOST_PIECES = 100;
const PIECES_MS = 60_000;
const AWAY_MS = 2_000;
/** A lease is 15 s, and others look each few seconds. */
const TAKEOVER_MS = 18_000;
/** Questions a second whose answers are streamed slowly. */
const STREAMS = 8;

export const streamCutOff: Trial = {
  id: 'F3',
  about: 'kill -9 of the node that writes an answer, at a random piece of it',
  mustHold:
    'each question has exactly one end; the pieces are the stored text; another node takes over, p99 at most 18 s',
  cycles: 100,
  async run(options) {
    const run = await underLoad(options, killWriters, {
      rates: { chats: options.rate, streams: STREAMS, openings: 0 },
    });
    const early = run.drained.tasks.filter(({ status, attempt }) => status === 'failed' && attempt < 3);
    return outcomeOf(run, [
      atMost('takeover, ms', takeoversOf(run.history), TAKEOVER_MS),
      none('answers that failed before a third attempt', early.length),
    ]);
  },
};

async function killWriters({ cluster, cycles, random, broke, allBack, history, say }: Stage): Promise<void> {
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const piece = await nthPiece(history, 1 + Math.floor(random() * MOST_PIECES));
    const node = writerOf(history, piece.task_id, cluster.nodes) ?? cluster.nodes.find(({ isUp }) => isUp)!;
    broke(node);
    await node.kill();
    await delay(random() * AWAY_MS);
    await node.start();
    await allBack();
    say(`${cycle} of ${cycles}: ${node.name} at unit ${piece.index} of an answer`);
  }
}

type Piece = Extract<Entry, { kind: 'piece' }>;

/** Waits for some more pieces of answers. */
async function nthPiece(history: readonly Entry[], count: number): Promise<Piece> {
  const from = history.length;
  let found: Piece | undefined;
  const comes = () => {
    found = entriesOf(history.slice(from), 'piece')[count - 1];
    return found !== undefined;
  };
  await until(comes, PIECES_MS, `${count} pieces of answers`);
  return found!;
}

/** The node that was asked: it claims what it can start at once. */
function writerOf(history: readonly Entry[], taskId: string, nodes: readonly ClusterNode[]): ClusterNode | undefined {
  const asked = history.findLast((entry) => entry.kind === 'ok' && entry.task_id === taskId);
  const link = history.findLast((entry) => entry.kind === 'connected' && entry.client === asked?.client);
  const name = link?.kind === 'connected' ? link.node : null;
  return nodes.find((node) => node.name === name && node.isUp);
}
