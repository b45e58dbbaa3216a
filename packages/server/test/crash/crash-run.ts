import { setTimeout as delay } from 'node:timers/promises';
import type { SettingName } from '../../src/config.ts';
import { BaseClient } from './base-client.ts';
import { checkRun } from './check-run.ts';
import type { Drained, Entry, Fault } from './history.ts';
import { startLoad, type LoadedClient, type LoadRates } from './load.ts';
import { OutboxClient } from './outbox-client.ts';
import { randomFrom } from './random.ts';
import { freePort, ServerProcess, type ProcessOptions } from './server-process.ts';
import { CRASH_SETTINGS } from './settings.ts';
import { until } from './until.ts';
import { drain, openConversation, openStore, settleIn, type Inhabitant } from './world.ts';

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

const PEOPLE = ['ada', 'ben', 'cleo', 'dan', 'eva', 'finn', 'gia', 'hal'];
/** Where many tests share a machine, a restart may take a while. */
const BACK_MS = 90_000;
const QUIET_MS = 90_000;
/** Asking whether all is quiet costs the server something, too. */
const QUIET_LOOK_MS = 250;
const MEMBERS = 4;

interface World {
  readonly people: readonly Inhabitant[];
  readonly chats: readonly Shared[];
  readonly streams: readonly Shared[];
}

interface Shared {
  readonly id: string;
  readonly members: readonly Inhabitant[];
}

/** Loads a real server, kills it again and again at random moments, and finds out what its clients were promised in vain. */
export async function crashAgainAndAgain(options: CrashRunOptions): Promise<CrashRun> {
  const random = randomFrom(options.seed);
  const world = await makeWorld(options.directory);
  const port = await freePort();
  const settings = { ...CRASH_SETTINGS, ...options.settings };
  const start = (life: Death['life']) => ServerProcess.start({ directory: options.directory, port, settings, ...life });
  let server = await start(options.deaths[0]?.life);
  const history: Entry[] = [];
  const clients = connectAll(world, `http://127.0.0.1:${port}`, history);
  const all = [...clients.extended, ...clients.base];
  const stopLoad = startLoad(loadsOf(clients, world), options.rates, random);
  const crashes: { killedAt: number; readyAt: number }[] = [];
  try {
    for (const [index, death] of options.deaths.entries()) {
      await death.happens(server, () => allBack(all, server));
      const killedAt = performance.now();
      server = await start(options.deaths[index + 1]?.life);
      crashes.push({ killedAt, readyAt: performance.now() });
    }
    await allBack(all, server);
    stopLoad();
    await calmDown(clients, server);
    const exitCode = await server.stop();
    const drained = await readEverything(options.directory, world.people);
    const faults = checkRun(history, drained);
    return { history, drained, faults, crashes, exitCode, ...timesOf(clients.extended, crashes) };
  } finally {
    stopLoad();
    for (const client of all) client.close();
    if (!server.isGone) await server.kill();
  }
}

async function makeWorld(directory: string): Promise<World> {
  const store = await openStore(directory);
  const people = await settleIn(store, PEOPLE);
  const share = async (first: number): Promise<Shared> => {
    const members = Array.from({ length: MEMBERS }, (_, index) => people[(first + index) % people.length]!);
    return { members, id: await openConversation(store, members) };
  };
  const chats = await Promise.all(people.map((_, index) => share(index)));
  const streams = await Promise.all(people.map((_, index) => share(index)));
  await store.close();
  return { people, chats, streams };
}

interface Clients {
  readonly extended: readonly OutboxClient[];
  readonly base: readonly BaseClient[];
}

/** One client of protocol 1 for each person, a second device for two of them, and three of the base layer. */
function connectAll(world: World, url: string, history: Entry[]): Clients {
  const settingsOf = (person: Inhabitant, name: string, polls: boolean) => ({
    ...{ name, url, polls, token: person.token, user_id: person.id },
    conversations: sharedBy(person, [...world.chats, ...world.streams]),
  });
  const devices = [...world.people, ...world.people.slice(0, 2)];
  return {
    extended: devices.map((person, index) => {
      return new OutboxClient(settingsOf(person, `${person.username}-${index}`, index % 4 === 3), history);
    }),
    base: world.people.slice(2, 5).map((person, index) => {
      return new BaseClient(settingsOf(person, `${person.username}-base`, index > 0), history);
    }),
  };
}

function sharedBy(person: Inhabitant, shared: readonly Shared[]): string[] {
  return shared.filter(({ members }) => members.includes(person)).map(({ id }) => id);
}

function loadsOf({ extended, base }: Clients, { people, chats, streams }: World): LoadedClient[] {
  const loadOf = (client: OutboxClient | BaseClient, opens: boolean): LoadedClient => {
    const person = people.find(({ username }) => client.name.startsWith(`${username}-`))!;
    return { client, opens, chats: sharedBy(person, chats), streams: sharedBy(person, streams) };
  };
  return [...extended.map((client) => loadOf(client, true)), ...base.map((client) => loadOf(client, false))];
}

function allBack(clients: readonly (OutboxClient | BaseClient)[], server: ServerProcess): Promise<void> {
  const missing = () => clients.filter((client) => !client.isCaughtUp).map(({ state }) => state);
  const what = () => `everybody back (missing: ${missing().join(', ')})\n${server.lastLines}`;
  return until(() => missing().length === 0 || server.isGone, BACK_MS, what);
}

/** Every outbox empty, every task ended, and what that made has arrived. */
async function calmDown({ extended, base }: Clients, server: ServerProcess): Promise<void> {
  const all = [...extended, ...base];
  const what = () =>
    `all answered (${all.map(({ name, waiting }) => `${name} ${waiting}`).join(', ')})\n${server.lastLines}`;
  await until(() => all.every(({ waiting }) => waiting === 0), QUIET_MS, what);
  const unended = () => `all tasks ended\n${server.lastLines}`;
  for (const client of extended) await until(() => client.isQuiet(), QUIET_MS, unended, QUIET_LOOK_MS);
  await Promise.all(extended.map((client) => client.settle(5_000)));
  await Promise.all(base.map((client) => client.settle()));
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
