import { setTimeout as delay } from 'node:timers/promises';
import { entriesOf, groupBy } from '../../crash/history.ts';
import { randomFrom } from '../../crash/random.ts';
import { until } from '../../crash/until.ts';
import { TcpFaults } from '../../support/tcp-faults.ts';
import type { Cluster } from '../cluster.ts';
import { outcomeOf } from '../load-figures.ts';
import type { Trial } from '../trial.ts';
import { underLoad, type Stage } from '../under-load.ts';

/** The most clients that workload W has: each has a network of its own. */
const NETWORKS = 20;
const BETWEEN_MS = 1_000;
const BACK_MS = 90_000;
/** Pings go each 10 s and are waited for 5 s. */
const HALF_OPEN_MS = 16_000;
const FLAP_MS = 3_000;
const FLAPS = 3;
const SLOW_MS = 5_000;
/** 64 kbit/s. */
const SLOW_BYTES = 8_000;
const LATE_MS = 200;
const JITTER_MS = 100;
/** After a half-open connection was noticed, a client comes back as after any other fault. */
const GAP_MS = HALF_OPEN_MS + 5_000;

export const clientNetwork: Trial = {
  id: 'F9',
  about:
    "clients' networks: cut, reset, half-open, flapping each 3 s, 64 kbit/s, 200 ms late with 100 ms of jitter; each client by itself",
  mustHold: 'nothing lost, doubled, out of order; every client catches up',
  cycles: 500,
  async run(options) {
    const networks: TcpFaults[] = [];
    const urls = async ({ url }: Cluster) => {
      const port = Number(new URL(url).port);
      for (let index = 0; index < NETWORKS; index += 1) networks.push(await TcpFaults.start(port));
      return networks.map((network) => `http://127.0.0.1:${network.port}`);
    };
    try {
      const run = await underLoad(options, (stage) => troubleAll(stage, networks, options.seed), { urls });
      const again = [...groupBy(entriesOf(run.history, 'connected'), ({ client }) => client).values()];
      const reconnects = again.reduce((sum, { length }) => sum + length - 1, 0);
      return outcomeOf(run, [{ name: 'reconnects', value: reconnects }], GAP_MS);
    } finally {
      for (const network of networks) await network.close();
    }
  },
};

/** Each client has its own share of the faults, one after the other. */
async function troubleAll({ crowd, cycles, say }: Stage, networks: readonly TcpFaults[], seed: number): Promise<void> {
  const clients = crowd!.clients;
  let done = 0;
  await Promise.all(
    clients.map(async (client, index) => {
      const random = randomFrom(seed + 2 + index);
      const share = Math.ceil(cycles / clients.length);
      for (let cycle = 0; cycle < share; cycle += 1) {
        const trouble = TROUBLES[Math.floor(random() ** 2 * TROUBLES.length)]!;
        await trouble(networks[index]!, random);
        await until(
          () => client.isCaughtUp,
          BACK_MS,
          () => `${client.state} back`,
        );
        await delay(random() * BETWEEN_MS);
        done += 1;
        if (done % 50 === 0) say(`${done} of ${share * clients.length}`);
      }
    }),
  );
}

type Trouble = (network: TcpFaults, random: () => number) => Promise<void> | void;

/** What is quickly over comes first, and more often. */
const TROUBLES: readonly Trouble[] = [
  (network) => network.cut(),
  (network) => network.reset(),
  async (network) => {
    network.bytesPerSecond = SLOW_BYTES;
    await delay(SLOW_MS);
    network.bytesPerSecond = Infinity;
    network.cut();
  },
  async (network, random) => {
    network.delayMs = LATE_MS + random() * JITTER_MS;
    network.cut();
    await delay(SLOW_MS);
    network.delayMs = 0;
    network.cut();
  },
  async (network) => {
    for (let flap = 0; flap < FLAPS; flap += 1) {
      network.cut();
      await delay(FLAP_MS);
    }
  },
  async (network) => {
    network.isBlackhole = true;
    await delay(HALF_OPEN_MS);
    network.isBlackhole = false;
  },
];
