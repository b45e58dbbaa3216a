import { setTimeout as delay } from 'node:timers/promises';
import { Storm, writeInto } from '../../crash/storm.ts';
import { percentile } from '../../crash/summary.ts';
import type { WorldPlan } from '../../crash/world.ts';
import { none } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { metricOf, withCluster } from '../with-cluster.ts';

const CLIENTS = 2_000;
const PEOPLE = Array.from({ length: 100 }, (_, index) => `person-${index}`);
const PLAN: WorldPlan = { people: PEOPLE, chats: PEOPLE.length, streams: 0, members: 3 };
const BEFORE = 50;
const BACKLOG = 20;
const AWAY_MS = 2_000;
const MOST_SHARE = 0.99;
/** Clients try again after 0.1 s at first and after a second at most, with a random part. */
const BACK_MS = 10_000;

export const reconnectStorm: Trial = {
  id: 'F11',
  about: `kill -9 of the load balancer with ${CLIENTS} sockets, which all come back at once, each to 3 conversations that went on`,
  mustHold: 'all are there again with all they missed, in order; 99 of 100 within 10 s',
  cycles: 3,
  run(options) {
    return withCluster(options, PLAN, {}, async (cluster, world) => {
      const storm = new Storm();
      const store = await options.database.open();
      const times: number[] = [];
      const faults: string[] = [];
      const sizes: number[] = [];
      let seq = PLAN.members + BEFORE;
      try {
        await writeInto(store, world.chats, BEFORE);
        storm.connect(cluster.url, CLIENTS, world);
        await storm.allBack(world.chats, seq);
        for (let cycle = 1; cycle <= options.cycles; cycle += 1) {
          await cluster.balancer.kill();
          await Promise.all([writeInto(store, world.chats, BACKLOG), delay(AWAY_MS)]);
          seq += BACKLOG;
          const from = performance.timeOrigin + performance.now();
          await cluster.balancer.start();
          const told = await storm.allBack(world.chats, seq);
          times.push(percentile(told.back, MOST_SHARE) - from);
          faults.push(...told.faults);
          for (const node of cluster.nodes) sizes.push(await metricOf(node, 'process_resident_memory_bytes'));
          options.say(`${cycle} of ${options.cycles}: 99 of 100 were back after ${Math.round(times.at(-1)!)} ms`);
        }
      } finally {
        storm.close();
        await store.close();
      }
      const slowest = Math.round(Math.max(...times));
      return {
        violations: [],
        figures: [
          none('events out of order', faults.length),
          {
            name: 'until 99 of 100 were back, slowest, ms',
            value: slowest,
            target: { text: `at most ${BACK_MS}`, isMet: slowest <= BACK_MS },
          },
          { name: 'largest node after a storm, MB', value: Math.round(Math.max(...sizes) / 1_048_576) },
        ],
      };
    });
  },
};
