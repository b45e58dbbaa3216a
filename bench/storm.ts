/** Everybody comes back at once: connects, signs in and joins one conversation with what it has. */
import { EngineClient } from './engine-client.ts';
import { seedUsers } from './seed-users.ts';
import { startTertulia, wait, withDirectory, type MeasuredServer } from './servers.ts';

const SETTLE_MS = 2_000;
const AT_ONCE = 50;

/** What a return cost: CPU in microseconds for each socket, and seconds until half and 99 % of them were back. */
export interface StormSample {
  readonly sockets: number;
  readonly cpuMicroseconds: number;
  readonly halfSeconds: number;
  readonly seconds: number;
}

interface Visitor {
  readonly auth: object;
  readonly conversation_id: string;
}

/** Measures a storm of `sockets`, after a smaller one that warms the server up. */
export function measureStorm(sockets: number): Promise<StormSample> {
  return withDirectory(async (directory) => {
    const users = await seedUsers(directory, sockets);
    const server = await startTertulia(directory, { ASSISTANT: 'none' });
    const visitors: Visitor[] = [];
    for (let at = 0; at < sockets; at += AT_ONCE) {
      const some = users.slice(at, at + AT_ONCE);
      visitors.push(...(await Promise.all(some.map(({ token }) => beginConversation(server, token)))));
    }
    await storm(server, visitors.slice(0, sockets / 4));
    await wait(SETTLE_MS);
    const sample = await storm(server, visitors);
    await server.stop();
    return sample;
  });
}

async function beginConversation(server: MeasuredServer, token: string): Promise<Visitor> {
  const auth = { token, protocol: 1 };
  const client = await EngineClient.connect({ port: server.port, auth });
  const { conversation_id } = await client.ask('chat', { message: 'x'.repeat(100) });
  client.close();
  return { auth, conversation_id: String(conversation_id) };
}

async function storm(server: MeasuredServer, visitors: readonly Visitor[]): Promise<StormSample> {
  const before = server.cpu();
  const started = performance.now();
  const times: number[] = [];
  const clients = await Promise.all(
    visitors.map(async ({ auth, conversation_id }) => {
      const client = await EngineClient.connect({ port: server.port, auth });
      await client.ask('join_conversation', { conversation_id, after_seq: 1 });
      times.push((performance.now() - started) / 1_000);
      return client;
    }),
  );
  const sample = {
    sockets: visitors.length,
    cpuMicroseconds: (server.cpu() - before) / visitors.length,
    halfSeconds: times[Math.floor(times.length * 0.5)] ?? 0,
    seconds: times[Math.floor(times.length * 0.99)] ?? 0,
  };
  for (const client of clients) client.close();
  return sample;
}
