/** Memory per idle connection, against the bare server. */
import { EngineClient } from './engine-client.ts';
import { seedUsers } from './seed-users.ts';
import { startBare, startTertulia, wait, withDirectory, type MeasuredServer } from './servers.ts';

const SETTLE_MS = 3_000;
const AT_ONCE = 50;

/** Resident kilobytes per connection, between the first third of them and all. */
export async function measureIdle(connections: number): Promise<{ bare: number; tertulia: number }> {
  const bare = await startBare();
  const bareKilobytes = await grow(
    bare,
    Array.from({ length: connections }, () => ({})),
  );
  await bare.stop();
  const tertulia = await withDirectory(async (directory) => {
    const users = await seedUsers(directory, connections);
    const server = await startTertulia(directory);
    const kilobytes = await grow(
      server,
      users.map(({ token }) => ({ token, protocol: 1 })),
    );
    await server.stop();
    return kilobytes;
  });
  return { bare: bareKilobytes, tertulia };
}

/** The first third warms the heap up and does not count. */
async function grow(server: MeasuredServer, auths: object[]): Promise<number> {
  const warm = Math.floor(auths.length / 3);
  const clients = await connectAll(server, auths.slice(0, warm));
  await wait(SETTLE_MS);
  const before = server.memory();
  clients.push(...(await connectAll(server, auths.slice(warm))));
  await wait(SETTLE_MS);
  const kilobytes = (server.memory() - before) / 1_024 / (auths.length - warm);
  for (const client of clients) client.close();
  return kilobytes;
}

async function connectAll(server: MeasuredServer, auths: object[]): Promise<EngineClient[]> {
  const clients: EngineClient[] = [];
  for (let index = 0; index < auths.length; index += AT_ONCE) {
    const some = auths.slice(index, index + AT_ONCE).map((auth) => EngineClient.connect({ port: server.port, auth }));
    clients.push(...(await Promise.all(some)));
  }
  return clients;
}
