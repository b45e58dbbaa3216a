import { fileURLToPath } from 'node:url';
import { startLoad } from '../../crash/load.ts';
import { randomFrom } from '../../crash/random.ts';
import { until } from '../../crash/until.ts';
import type { WorldPlan } from '../../crash/world.ts';
import { Cluster, type ClusterNode } from '../cluster.ts';
import { W } from '../database.ts';
import { none } from '../load-figures.ts';
import type { Outcome, Trial, TrialOptions } from '../trial.ts';
import { PlainClient } from './plain-client.ts';
import { tally } from './tally.ts';

const MAIN = fileURLToPath(new URL('./plain-server.ts', import.meta.url));
const BACK_MS = 90_000;
const ANSWERED_MS = 30_000;
/** Nothing has come for this time: nothing more will. */
const QUIET_MS = 2_000;

/** The same load and the same fault for a chat on Socket.IO as its documentation has it. @throws where the fault needs more */
export async function runPlain(trial: Trial, options: Omit<TrialOptions, 'database'>): Promise<Outcome> {
  const { directory, nodes, seed, cycles, rate, say } = options;
  if (!trial.disrupt) throw new Error(`--plain: ${trial.id} cannot be injected into anything but Tertulia`);
  const cluster = await Cluster.start({ directory, nodes, main: MAIN, settings: {}, redis: 'by way of links' });
  const clients = connectAll(W, cluster.url);
  const allBack = () => untilBack(clients, cluster);
  let stopLoad = () => {};
  try {
    await allBack();
    const loads = clients.map((client) => ({ client, chats: [...client.heard.keys()], streams: [], opens: false }));
    // Tertulia answers each question: as many messages again.
    stopLoad = startLoad(loads, { chats: rate * 2, streams: 0, openings: 0 }, randomFrom(seed));
    const broke = (_node: ClusterNode | null) => {};
    await trial.disrupt({ cluster, cycles, history: [], random: randomFrom(seed + 1), broke, allBack, say });
    await allBack();
    stopLoad();
    await calmDown(clients);
    const found = tally(clients);
    return {
      violations: [],
      figures: [
        { name: 'messages acknowledged', value: found.acknowledged },
        none('lost: acknowledged, and never came to somebody', found.lost),
        none('copies lost', found.lostCopies),
        none('doubled: came to somebody more than once', found.doubled),
        none('copies too many', found.doubledCopies),
        none('out of order: neighbours that others saw reversed', found.reordered),
      ],
    };
  } finally {
    stopLoad();
    for (const client of clients) client.close();
    await cluster.close();
  }
}

/** One client for each person, and a second one for some of them, as in workload W. */
function connectAll({ people, chats, members }: WorldPlan, url: string): PlainClient[] {
  const roomsOf = (person: number) =>
    Array.from({ length: chats }, (_, room) => room).filter(
      (room) => (person - (room % people.length) + people.length) % people.length < members,
    );
  return [...people.keys(), ...people.slice(0, people.length / 4).keys()].map((person, index) => {
    const rooms = roomsOf(person).map((room) => `room-${room}`);
    return new PlainClient({ name: `${people[person]}-${index}`, url, rooms, polls: index % 3 === 0 });
  });
}

function untilBack(clients: readonly PlainClient[], cluster: Cluster): Promise<void> {
  const missing = () => clients.filter(({ isCaughtUp }) => !isCaughtUp);
  const what = () =>
    `everybody back (missing: ${missing()
      .map(({ state }) => state)
      .join()})\n${cluster.lastLines}`;
  return until(() => missing().length === 0, BACK_MS, what);
}

/** Waits until all is acknowledged, or will not be, and nothing more comes. */
async function calmDown(clients: readonly PlainClient[]): Promise<void> {
  const all = () => clients.every(({ waiting }) => waiting === 0);
  await until(all, ANSWERED_MS, 'all acknowledged').catch(() => undefined); // what was not acknowledged is not counted
  let heard = 0;
  let since = performance.now();
  await until(
    () => {
      const now = clients.reduce((sum, client) => sum + client.count, 0);
      if (now !== heard) since = performance.now();
      heard = now;
      return performance.now() - since > QUIET_MS;
    },
    ANSWERED_MS,
    'quiet',
  );
}
