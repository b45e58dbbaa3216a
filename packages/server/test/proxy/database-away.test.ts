import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { DATABASE_FILE } from '../../src/store/sqlite/sqlite-store.ts';
import { until } from '../crash/until.ts';
import { describeWith } from '../support/describe-with.ts';
import { BALANCERS, type BalancerName, type Variant } from './balancer.ts';
import { Cluster } from './cluster.ts';

/** A balancer notices within seconds; the rest is for a busy machine. */
const NOTICED_MS = 20_000;
/** nginx does not ask nodes whether they are ready, in any of its variants. */
const VARIANTS: Readonly<Record<BalancerName, readonly Variant[]>> = {
  nginx: ['by-sid'],
  haproxy: ['by-sid', 'by-cookie', 'by-address', 'websocket-only'],
};

let cluster: Cluster;
afterEach(() => cluster?.close());

describe.each(BALANCERS)('%s before nodes none of which is ready', (name) => {
  describeWith(name, 'since their database takes nothing', () => {
    test.each(VARIANTS[name])('%s: their own answers pass, and what needs no write goes on', async (variant) => {
      cluster = await Cluster.start(name, variant);
      const ask = (path: string) => fetch(cluster.balancer.url + path);
      const other = new DatabaseSync(join(cluster.nodes[0]!.directory, DATABASE_FILE));
      other.exec('BEGIN IMMEDIATE');
      const isUnready = async () => (await ask('/readyz')).status === 503;
      await until(isUnready, NOTICED_MS, () => 'no node is ready');
      // Each look lasts the second in which a node finds it out, and a balancer looks as often: then it knows it of all.
      for (let looks = 0; looks < 5; looks += 1) {
        const answer = await ask('/readyz');
        expect(await answer.json()).toMatchObject({ status: 'not_ready' });
        expect((await ask('/socket-info')).status).toBe(200);
      }
      const { token } = cluster.person;
      const me = await fetch(`${cluster.balancer.url}/api/v1/auth/me`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(me.status).toBe(200);
      other.exec('ROLLBACK');
      other.close();
      await until(
        async () => (await ask('/readyz')).status === 200,
        NOTICED_MS,
        () => 'a node is ready',
      );
    });
  });
});
