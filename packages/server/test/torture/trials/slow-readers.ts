import { setTimeout as delay } from 'node:timers/promises';
import { spread } from '../../crash/summary.ts';
import { until } from '../../crash/until.ts';
import type { Inhabitant } from '../../crash/world.ts';
import { RawSocket } from '../../hostile/raw-socket.ts';
import type { Cluster } from '../cluster.ts';
import type { Trial } from '../trial.ts';
import { metricOf, withCluster } from '../with-cluster.ts';

const LOOK_MS = 250;
const LATEST_MS = 120_000;
const MOST_MB = 300;
/** An answer of 200 KB, which each socket of the room is sent. */
const QUESTION = 'more?\nscript: {"steps": [{"flood": 200000}]}';
/** A small machine: whatever is kept for those who do not read would end the process. */
const SMALL_MACHINE = { NODE_OPTIONS: '--max-old-space-size=192 --max-semi-space-size=4' };
const SPEAKERS = 4;
/** Sockets that are connected at once. */
const AT_ONCE = 20;

export const slowReaders: Trial = {
  id: 'F20',
  about: 'sockets that stop reading in a busy room: so many as there are cycles',
  mustHold: 'each is closed; no node takes more than 300 MB; whoever reads is served',
  cycles: 200,
  run(options) {
    const plan = { people: ['ann', 'bob', 'cyd', 'dot'], chats: 2, streams: 0, members: SPEAKERS };
    return withCluster(
      options,
      plan,
      { environment: SMALL_MACHINE },
      async (cluster, { people, chats: [room, quiet] }) => {
        const silent = await enterAndStop(cluster, options.cycles, people[0]!, room!.id);
        const watching = new AbortController();
        const sizes = watchSizes(cluster, watching.signal);
        const trips = pingSteadily(cluster, people[1]!, quiet!.id, watching.signal);
        const speakers = await Promise.all(people.map(({ token }) => RawSocket.connect(cluster.url, token)));
        const readers = speakers.length + 1;
        const isOver = async () => (await sumOf(cluster, 'tertulia_connections')) <= readers;
        await speakUntil(isOver, speakers, room!.id);
        watching.abort();
        for (const raw of [...silent, ...speakers]) raw.close();
        const closed = await sumOf(cluster, 'tertulia_slow_consumers_total');
        const peak = Math.max(...(await sizes));
        return {
          violations: [],
          figures: [
            { name: 'closed as slow consumers; the others, at the ping', value: closed },
            {
              name: 'largest node, MB',
              value: Math.round(peak),
              target: { text: `at most ${MOST_MB}`, isMet: peak <= MOST_MB },
            },
            { name: "somebody else's round trip, ms", value: spread(await trips) },
          ],
        };
      },
    );
  },
};

async function sumOf({ nodes }: Cluster, name: string): Promise<number> {
  const counts = await Promise.all(nodes.map((node) => metricOf(node, name)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** All of them stop at once: who does not read does not answer pings either, and is closed 15 s later at the latest. */
async function enterAndStop({ url }: Cluster, count: number, { token }: Inhabitant, conversation_id: string) {
  const sockets: RawSocket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => RawSocket.connect(url, token));
    sockets.push(...(await Promise.all(some)));
  }
  await Promise.all(sockets.map((raw) => raw.ask('join_conversation', { conversation_id })));
  for (const raw of sockets) raw.webSocket.pause();
  return sockets;
}

/** Has everybody speak in turn until it is over. */
async function speakUntil(
  isOver: () => Promise<boolean>,
  speakers: readonly RawSocket[],
  conversation_id: string,
): Promise<void> {
  const step = async () => {
    await Promise.all(speakers.map((raw) => raw.ask('chat', { conversation_id, message: QUESTION })));
    return isOver();
  };
  await until(step, LATEST_MS, 'every socket that does not read is closed');
}

/** What each node takes of memory, in MB, again and again. */
async function watchSizes({ nodes }: Cluster, signal: AbortSignal): Promise<number[]> {
  const sizes: number[] = [];
  while (!signal.aborted) {
    for (const node of nodes) sizes.push((await metricOf(node, 'process_resident_memory_bytes')) / 1_048_576);
    await delay(LOOK_MS);
  }
  return sizes;
}

async function pingSteadily(
  { url }: Cluster,
  { token }: Inhabitant,
  conversation_id: string,
  signal: AbortSignal,
): Promise<number[]> {
  const raw = await RawSocket.connect(url, token);
  const trips: number[] = [];
  while (!signal.aborted) {
    const started = performance.now();
    await raw.ask('sync', { conversation_id, after_seq: 0 });
    trips.push(performance.now() - started);
    await delay(LOOK_MS);
  }
  raw.close();
  return trips;
}
