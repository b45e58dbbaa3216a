import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { until } from '../../crash/until.ts';
import type { Inhabitant } from '../../crash/world.ts';
import type { ClusterNode } from '../cluster.ts';
import { atMost, none } from '../load-figures.ts';
import type { Figure, Trial } from '../trial.ts';
import { withCluster } from '../with-cluster.ts';

/** Between two logouts: so they meet every moment between two looks of a node at its sessions, which are 15 s apart. */
const BETWEEN_MS = 200;
const TRY_MS = 500;
const CONNECTED_MS = 60_000;
const CLOSED_MS = 60_000;
/** How long a login may outlive its end, with Redis and with the node cut off from it. */
const LINKED_MS = 2_000;
const CUT_MS = 20_000;

export const loginRevoked: Trial = {
  id: 'F22',
  about:
    'logins are ended on one node while the node that has their sockets is cut off from Redis; half of them with Redis',
  mustHold: 'their sockets are closed within 20 s (2 s with Redis), and nothing they send after that is accepted',
  cycles: 100,
  run(options) {
    const people = Array.from({ length: options.cycles }, (_, index) => `person-${index}`);
    const plan = { people, chats: 0, streams: 0, members: 0 };
    return withCluster(options, plan, { redis: 'by way of links' }, async ({ nodes: [near, far] }, world) => {
      const half = Math.ceil(world.people.length / 2);
      const linked = await endLogins(near!, far!, world.people.slice(0, half));
      near!.link!.refuses = true;
      near!.link!.cut();
      const cut = await endLogins(near!, far!, world.people.slice(half));
      return {
        violations: [],
        figures: [...figuresOf('with Redis', linked, LINKED_MS), ...figuresOf('cut off from Redis', cut, CUT_MS)],
      };
    });
  },
};

interface Ended {
  /** From the logout until the socket was closed. */
  readonly closedMs: number;
  /** What it sent after the logout that was accepted: how long after. */
  readonly acceptedMs: readonly number[];
}

function figuresOf(where: string, ended: readonly Ended[], milliseconds: number): Figure[] {
  const accepted = ended.flatMap(({ acceptedMs }) => acceptedMs);
  const late = accepted.filter((after) => after > milliseconds);
  return [
    atMost(
      `closed, ${where}, ms`,
      ended.map(({ closedMs }) => closedMs),
      milliseconds,
    ),
    { name: `accepted after the logout, ${where}`, value: accepted.length },
    none(`accepted later than ${milliseconds / 1_000} s after it, ${where}`, late.length),
  ];
}

async function endLogins(near: ClusterNode, far: ClusterNode, people: readonly Inhabitant[]): Promise<Ended[]> {
  const sockets = people.map(({ token }) => io(near.url, { auth: { token, protocol: 1 }, transports: ['websocket'] }));
  await until(() => sockets.every(({ connected }) => connected), CONNECTED_MS, 'all connected');
  const ended = await Promise.all(
    people.map(async (person, index) => {
      await delay(index * BETWEEN_MS);
      return endLogin(far, person, sockets[index]!);
    }),
  );
  for (const socket of sockets) socket.close();
  return ended;
}

async function endLogin(far: ClusterNode, { token }: Inhabitant, socket: Socket): Promise<Ended> {
  const gone = new Promise<number>((resolve) => socket.once('disconnect', () => resolve(performance.now())));
  const headers = { authorization: `Bearer ${token}` };
  const { status } = await fetch(`${far.url}/api/v1/auth/logout`, { method: 'POST', headers });
  if (status >= 400) throw new Error(`logging out was answered with ${status}`);
  const from = performance.now();
  const acceptedMs: number[] = [];
  const trying = setInterval(() => {
    socket.emit('chat', { message: 'am I still here?' }, ({ ok }: { ok: boolean }) => {
      if (ok) acceptedMs.push(performance.now() - from);
    });
  }, TRY_MS);
  const late = delay(CLOSED_MS).then(() => Infinity);
  const closedMs = (await Promise.race([gone, late])) - from;
  clearInterval(trying);
  return { closedMs, acceptedMs };
}
