import type { BalancerName } from '../../proxy/balancer.ts';
import { entriesOf } from '../../crash/history.ts';
import { spread } from '../../crash/summary.ts';
import { watchAvailability, type Availability } from '../availability.ts';
import { none, outcomeOf } from '../load-figures.ts';
import type { Figure, Outcome, Trial, TrialOptions } from '../trial.ts';
import { underLoad } from '../under-load.ts';

/** haproxy asks each second, and once more where the answer was bad. */
const SETTINGS = { SHUTDOWN_DELAY_SECONDS: '2', SHUTDOWN_DRAIN_SECONDS: '5' };

const about = (balancer: BalancerName) =>
  `all nodes behind ${balancer} are restarted one after another under load, as an upgrade does it (SIGTERM)`;
const mustHold = 'no send fails that a person would see; always a node that is ready; nothing lost or doubled';

/** One for each balancer, since they notice in different ways that a node stops. */
export const rollingRestarts: readonly Trial[] = [
  { id: 'F12', about: about('haproxy'), mustHold, cycles: 10, run: (options) => restartBehind('haproxy', options) },
  { id: 'F12n', about: about('nginx'), mustHold, cycles: 10, run: (options) => restartBehind('nginx', options) },
];

/** Restarts all nodes, `cycles` times, and tells what clients and somebody outside noticed. */
export async function restartBehind(balancer: BalancerName, options: TrialOptions): Promise<Outcome> {
  let availability: Availability | null = null;
  const exitCodes: (number | null)[] = [];
  const stops: number[] = [];
  const run = await underLoad(
    options,
    async ({ cluster, cycles, broke, allBack, say }) => {
      const stopWatching = watchAvailability(
        cluster.url,
        cluster.nodes.map((node) => node.url),
      );
      for (let round = 1; round <= cycles; round += 1) {
        for (const node of cluster.nodes) {
          broke(node);
          const asked = performance.now();
          exitCodes.push(await node.stop());
          stops.push(performance.now() - asked);
          await node.start();
          await allBack();
        }
        say(`round ${round} of ${cycles}`);
      }
      availability = await stopWatching();
    },
    { balancer, settings: SETTINGS },
  );
  return outcomeOf({ ...run, exitCodes: [...exitCodes, ...run.exitCodes] }, [
    none('sends that failed', [...entriesOf(run.history, 'fail'), ...entriesOf(run.history, 'refused')].length),
    ...availabilityOf(availability, balancer),
    { name: 'from SIGTERM to the end of a node, ms', value: spread(stops) },
  ]);
}

/**
 * nginx does not ask a node whether it is ready: a request that arrives just when a node stops to listen is not repeated
 * elsewhere, if it is a POST. So it is counted, and promised of haproxy only.
 */
function availabilityOf(availability: Availability | null, balancer: BalancerName): Figure[] {
  const { asked = 0, failedSessions = [], failedPosts = [], withoutReadyNode = 0 } = availability ?? {};
  const value = (failed: readonly string[]) => `${failed.length} of ${asked} ${[...new Set(failed)].join(', ')}`.trim();
  const posts = { name: 'POSTs over REST that failed', value: value(failedPosts) };
  return [
    none('looks without a ready node', withoutReadyNode),
    { ...none('new sessions that failed', failedSessions.length), value: value(failedSessions) },
    balancer === 'haproxy' ? { ...none(posts.name, failedPosts.length), ...posts } : posts,
  ];
}
