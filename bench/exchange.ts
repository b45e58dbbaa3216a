/** Server CPU per durable chat exchange, and its round trip, against the bare echo. */
import { EngineClient } from './engine-client.ts';
import { seedUsers } from './seed-users.ts';
import { startBare, startTertulia, wait, withDirectory, type MeasuredServer } from './servers.ts';

/** How long and how wide a measurement is. */
export interface Load {
  readonly clients: number;
  /** Exchanges that each client has under way. */
  readonly window: number;
  readonly seconds: number;
  readonly rounds: number;
}

/** One window of measurement. */
export interface Sample {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50: number;
  readonly p99: number;
}

const TEXT = 'x'.repeat(100);

/** Clients that are connected, and talk while they are measured. */
export interface Loader {
  run(seconds: number): Promise<Sample>;
  close(): void;
}

/** Measures both servers in turn, round by round, so that the machine's moods fall on both. */
export function measureExchange(load: Load): Promise<{ bare: Sample[]; tertulia: Sample[] }> {
  return withDirectory(async (directory) => {
    const users = await seedUsers(directory, load.clients);
    const bare = await startBare();
    const tertulia = await startTertulia(directory);
    const bareLoad = await prepare(
      [bare],
      load,
      users.map(() => ({})),
    );
    const ourLoad = await prepare(
      [tertulia],
      load,
      users.map(({ token }) => ({ token })),
    );
    const samples = { bare: [] as Sample[], tertulia: [] as Sample[] };
    for (let round = 0; round < load.rounds; round += 1) {
      samples.bare.push(await bareLoad.run(load.seconds));
      samples.tertulia.push(await ourLoad.run(load.seconds));
    }
    bareLoad.close();
    ourLoad.close();
    await Promise.all([bare.stop(), tertulia.stop()]);
    return samples;
  });
}

/** Takes samples of Tertulia alone under `clients` that each ask again as soon as they have their answer. */
export function withClients<T>(
  clients: number,
  work: (sample: (seconds: number) => Promise<Sample>, server: MeasuredServer) => Promise<T>,
): Promise<T> {
  return withDirectory(async (directory) => {
    const users = await seedUsers(directory, clients);
    const server = await startTertulia(directory);
    const auths = users.map(({ token }) => ({ token }));
    const load = await prepare([server], { window: 1 }, auths);
    const result = await work((seconds) => load.run(seconds), server);
    load.close();
    await server.stop();
    return result;
  });
}

/**
 * Connects the clients, to each server in turn; each of them talks in a conversation of its own. An exchange is over when
 * its answer is here.
 */
export async function prepare(
  servers: readonly MeasuredServer[],
  { window }: Pick<Load, 'window'>,
  auths: readonly object[],
): Promise<Loader> {
  const ports = auths.map((_, index) => servers[index % servers.length]?.port ?? 0);
  const clients = await Promise.all(
    auths.map((auth, index) => EngineClient.connect({ port: ports[index] ?? 0, auth })),
  );
  const payloads = await Promise.all(clients.map((client) => openConversations(client, window)));
  return {
    run: (seconds) => run(servers, clients, payloads, seconds),
    close: () => clients.forEach((client) => client.close()),
  };
}

async function openConversations(client: EngineClient, count: number): Promise<string[]> {
  const payloads: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const answered = Promise.withResolvers<void>();
    client.onEvent = () => answered.resolve();
    const answer = await client.ask('chat', { message: TEXT });
    await answered.promise; // so that the window is what it says
    const conversation_id = answer['conversation_id'] ?? 'c';
    payloads.push(JSON.stringify({ message: TEXT, conversation_id, metadata: { client: 'bench' } }));
  }
  return payloads;
}

async function run(
  servers: readonly MeasuredServer[],
  clients: EngineClient[],
  payloads: string[][],
  seconds: number,
): Promise<Sample> {
  const cpu = () => servers.reduce((sum, server) => sum + server.cpu(), 0);
  let done = 0;
  let counting = false;
  let going = true;
  const times: number[] = [];
  const underWay = clients.map(() => 0);
  clients.forEach((client, index) => {
    const own = payloads[index] ?? [];
    const startedAt: number[] = [];
    let next = 0;
    const fire = () => {
      underWay[index] = (underWay[index] ?? 0) + 1;
      startedAt.push(performance.now());
      client.send('chat', own[next++ % own.length] ?? '{}', () => undefined);
    };
    client.onEvent = (name) => {
      if (name !== 'conversation') return;
      underWay[index] = (underWay[index] ?? 0) - 1;
      const began = startedAt.shift() ?? 0;
      if (counting) times.push(performance.now() - began);
      done += 1;
      if (going) fire();
    };
    for (let count = 0; count < own.length; count += 1) fire();
  });
  await wait(1_000);
  const before = { cpu: cpu(), done, at: performance.now() };
  counting = true;
  await wait(seconds * 1_000);
  counting = false;
  const after = { cpu: cpu(), done, at: performance.now() };
  going = false;
  while (underWay.some((count) => count > 0)) await wait(20);
  times.sort((a, b) => a - b);
  const exchanges = after.done - before.done;
  return {
    perSecond: exchanges / ((after.at - before.at) / 1_000),
    cpuMicroseconds: (after.cpu - before.cpu) / exchanges,
    p50: times[Math.floor(times.length * 0.5)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}
