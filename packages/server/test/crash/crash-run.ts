import { setTimeout as delay } from 'node:timers/promises';
import type { SettingName } from '../../src/config.ts';
import { checkRun } from './check-run.ts';
import { Crowd, type Device } from './crowd.ts';
import type { Drained, Entry, Fault } from './history.ts';
import { startLoad, type LoadRates } from './load.ts';
import type { OutboxClient } from './outbox-client.ts';
import { randomFrom } from './random.ts';
import { freePort, ServerProcess, type ProcessOptions } from './server-process.ts';
import { CRASH_SETTINGS } from './settings.ts';
import { drain, makeWorld, openStore, type Inhabitant, type World, type WorldPlan } from './world.ts';

/** A run of crashes. */
export interface CrashRunOptions {
  readonly directory: string;
  readonly seed: number;
  readonly rates: LoadRates;
  readonly settings?: Partial<Record<SettingName, string>>;
  /** One for each time that the server dies. */
  readonly deaths: readonly Death[];
}

/** How a server comes to its end. */
export interface Death {
  /** What the server that is to die is started with. */
  readonly life?: Pick<ProcessOptions, 'preload' | 'environment'>;
  /** Resolves once it is dead. `back` resolves once all clients have caught up, or it is dead. */
  happens(server: ServerProcess, back: () => Promise<void>): Promise<void>;
}

/** Killed a while after all clients were back. */
export function killedAtRandom(random: () => number): Death {
  return {
    async happens(server, back) {
      await back();
      await delay(300 + random() * 1_500);
      await server.kill();
    },
  };
}

/** What a run came to. */
export interface CrashRun {
  readonly history: readonly Entry[];
  readonly drained: Drained;
  readonly faults: readonly Fault[];
  /** When the server was killed, and when it listened again. */
  readonly crashes: readonly { killedAt: number; readyAt: number }[];
  /** From a kill until a client had everything again, in ms; where it had before the next one. */
  readonly gaps: readonly number[];
  /** From a kill until a client saw the next attempt at a task, in ms. */
  readonly takeovers: readonly number[];
  readonly exitCode: number | null;
}

const PLAN: WorldPlan = {
  people: ['ada', 'ben', 'cleo', 'dan', 'eva', 'finn', 'gia', 'hal'],
  chats: 8,
  streams: 8,
  members: 4,
};

/** Loads a real server, kills it again and again at random moments, and finds out what its clients were promised in vain. */
export async function crashAgainAndAgain(options: CrashRunOptions): Promise<CrashRun> {
  const random = randomFrom(options.seed);
  const before = await openStore(options.directory);
  const world = await makeWorld(before, PLAN);
  await before.close();
  const port = await freePort();
  const settings = { ...CRASH_SETTINGS, ...options.settings };
  const start = (life: Death['life']) => ServerProcess.start({ directory: options.directory, port, settings, ...life });
  let server = await start(options.deaths[0]?.life);
  const history: Entry[] = [];
  const crowd = new Crowd(world, devicesOf(world, `http://127.0.0.1:${port}`), [], history);
  const stopLoad = startLoad(crowd.loads, options.rates, random);
  const crashes: { killedAt: number; readyAt: number }[] = [];
  const lastLines = () => server.lastLines;
  const allBack = () => crowd.allBack(lastLines, () => server.isGone);
  try {
    for (const [index, death] of options.deaths.entries()) {
      await death.happens(server, allBack);
      const killedAt = performance.now();
      server = await start(options.deaths[index + 1]?.life);
      crashes.push({ killedAt, readyAt: performance.now() });
    }
    await allBack();
    stopLoad();
    await crowd.calmDown(lastLines);
    const exitCode = await server.stop();
    const drained = await readEverything(options.directory, world.people);
    const faults = checkRun(history, drained);
    return { history, drained, faults, crashes, exitCode, ...timesOf(crowd.extended, crashes) };
  } finally {
    stopLoad();
    crowd.close();
    if (!server.isGone) await server.kill();
  }
}

/** One of protocol 1 for each person, a second one for two of them, and three of the base layer. */
function devicesOf({ people }: World, url: string): Device[] {
  return [
    ...[...people, ...people.slice(0, 2)].map((person, index): Device => {
      return { person, layer: 'extended', polls: index % 4 === 3, url };
    }),
    ...people.slice(2, 5).map((person, index): Device => ({ person, layer: 'base', polls: index > 0, url })),
  ];
}

async function readEverything(directory: string, people: readonly Inhabitant[]): Promise<Drained> {
  const store = await openStore(directory);
  const drained = await drain(
    store,
    people.map(({ id }) => id),
  );
  await store.close();
  return drained;
}

function timesOf(clients: readonly OutboxClient[], crashes: CrashRun['crashes']) {
  const gaps = clients.flatMap(({ caughtUpAt }) =>
    crashes.flatMap(({ killedAt }, index) => {
      const back = caughtUpAt.find((at) => at > killedAt);
      const isNextOutage = back !== undefined && back > (crashes[index + 1]?.killedAt ?? Infinity);
      return back === undefined || isNextOutage ? [] : [back - killedAt];
    }),
  );
  const seen = new Map<string, number>();
  for (const { attemptSeenAt } of clients) {
    for (const [attempt, at] of attemptSeenAt) seen.set(attempt, Math.min(at, seen.get(attempt) ?? Infinity));
  }
  const takeovers = [...seen].flatMap(([attempt, at]) => {
    const crash = crashes.findLast(({ killedAt }) => killedAt < at);
    return attempt.endsWith(' 1') || !crash ? [] : [at - crash.killedAt];
  });
  return { gaps, takeovers };
}
