/** Server CPU per catch-up of 50 messages, from the kept end of a busy conversation against a read of the log. */
import { EngineClient } from './engine-client.ts';
import { seedUsers } from './seed-users.ts';
import { startTertulia, withDirectory, type MeasuredServer } from './servers.ts';

const MESSAGES = 50;
const CLIENTS = 20;

/** CPU in microseconds per catch-up, a figure each round. */
export interface CatchUp {
  readonly read: number[];
  readonly kept: number[];
}

/** Measures both in turn on one server. */
export async function measureCatchUp(rounds: number, seconds: number): Promise<CatchUp> {
  return withDirectory(async (directory) => {
    const [user] = await seedUsers(directory, 1);
    if (!user) throw new Error('no user was made');
    const server = await startTertulia(directory, { ASSISTANT: 'none' });
    const connect = () => EngineClient.connect({ port: server.port, auth: { token: user.token, protocol: 1 } });
    const clients = await Promise.all(Array.from({ length: CLIENTS }, connect));
    const quiet = await fill(server, user.token, () => Promise.resolve());
    const busy = await fill(server, user.token, async (conversation_id) => {
      await clients[0]?.ask('join_conversation', { conversation_id });
    });
    const samples: CatchUp = { read: [], kept: [] };
    for (let round = 0; round < rounds; round += 1) {
      samples.read.push(await syncFor(seconds, server, clients, quiet));
      samples.kept.push(await syncFor(seconds, server, clients, busy));
    }
    for (const client of clients) client.close();
    await server.stop();
    return samples;
  });
}

/** A conversation with its messages, of about 200 characters each; `begin` comes before them. */
async function fill(server: MeasuredServer, token: string, begin: (id: string) => Promise<void>): Promise<string> {
  const api = `http://127.0.0.1:${server.port}/api/v1`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const post = (path: string, body: object) =>
    fetch(`${api}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { id } = (await (await post('/conversations', { title: 'a room' })).json()) as { id: string };
  await begin(id);
  for (let count = 0; count < MESSAGES; count += 1) {
    await post(`/chat/${id}/continue`, { message: 'a message of a usual length, '.repeat(7) });
  }
  return id;
}

async function syncFor(
  seconds: number,
  server: MeasuredServer,
  clients: EngineClient[],
  conversation_id: string,
): Promise<number> {
  let answered = 0;
  const cpu = server.cpu();
  const end = performance.now() + seconds * 1_000;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < end) {
        await client.ask('sync', { conversation_id, after_seq: 1 });
        answered += 1;
      }
    }),
  );
  return (server.cpu() - cpu) / answered;
}
