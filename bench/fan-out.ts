/** Server CPU per delta that reaches a member of a room, against a bare room emit of the same frames at the same pace. */
import { fileURLToPath } from 'node:url';
import { EngineClient } from './engine-client.ts';
import { seedUsers } from './seed-users.ts';
import { startBare, startTertulia, wait, withDirectory, type MeasuredServer } from './servers.ts';

const MEMBERS = 100;
const ROOMS = 8;
const PIECE_MS = 25;

/** One window: CPU in microseconds per delivered frame, and frames a second. */
export interface FanOutSample {
  readonly cpuMicroseconds: number;
  readonly perSecond: number;
}

type Work<T> = (sample: (seconds: number) => Promise<FanOutSample>, server: MeasuredServer) => Promise<T>;

/** Measures both in turn, round by round. */
export async function measureFanOut(
  rounds: number,
  seconds: number,
): Promise<{ bare: FanOutSample[]; tertulia: FanOutSample[] }> {
  const samples = { bare: [] as FanOutSample[], tertulia: [] as FanOutSample[] };
  for (let round = 0; round < rounds; round += 1) {
    samples.bare.push(await bareRound(seconds));
    samples.tertulia.push(await tertuliaRound(seconds));
  }
  return samples;
}

async function bareRound(seconds: number): Promise<FanOutSample> {
  const server = await startBare();
  const clients = await connect(
    server,
    Array.from({ length: MEMBERS }, () => ({})),
  );
  const payload = {
    conversation_id: 'c'.repeat(32),
    task_id: 't'.repeat(32),
    attempt: 1,
    index: 1_000,
    text: 'twenty characters.. ',
  };
  for (let room = 0; room < ROOMS; room += 1) {
    for (const client of clients) await client.askAll('join', [`room${room}`]);
    await clients[0]?.askAll('stream', [`room${room}`, PIECE_MS, payload]);
  }
  return finish(server, clients, (sample) => sample(seconds));
}

function tertuliaRound(seconds: number): Promise<FanOutSample> {
  return withRooms(MEMBERS, ROOMS, (sample) => sample(seconds));
}

/** Takes samples of Tertulia alone, with `rooms` conversations in each of which all `members` watch a live answer. */
export function withRooms<T>(members: number, rooms: number, work: Work<T>): Promise<T> {
  return withDirectory(async (directory) => {
    const users = await seedUsers(directory, members);
    const assistant = fileURLToPath(new URL('./steady-assistant.ts', import.meta.url));
    const server = await startTertulia(directory, { ASSISTANT: assistant, TASKS_RUNNING: '100' });
    const clients = await connect(
      server,
      users.map(({ token }) => ({ token, protocol: 1 })),
    );
    for (let room = 0; room < rooms; room += 1) await openRoom(server, clients, users);
    return finish(server, clients, work);
  });
}

/** A conversation with everybody in it, whose assistant has begun to answer. */
async function openRoom(server: MeasuredServer, clients: EngineClient[], users: { username: string; token: string }[]) {
  const [owner, ...others] = users;
  const base = `http://127.0.0.1:${server.port}/api/v1/conversations`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${owner?.token}` };
  const post = (url: string, body: object) => fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const { id } = (await (await post(base, { title: 'a room' })).json()) as { id: string };
  for (const { username } of others) await post(`${base}/${id}/members`, { username });
  await Promise.all(clients.map((client) => client.ask('join_conversation', { conversation_id: id })));
  await clients[0]?.ask('chat', { message: 'go', conversation_id: id });
}

function connect(server: MeasuredServer, auths: object[]): Promise<EngineClient[]> {
  return Promise.all(auths.map((auth) => EngineClient.connect({ port: server.port, auth })));
}

async function finish<T>(server: MeasuredServer, clients: EngineClient[], work: Work<T>): Promise<T> {
  let frames = 0;
  for (const client of clients) client.onEvent = (name) => void (frames += name === 'response_delta' ? 1 : 0);
  await wait(1_000);
  const result = await work(async (seconds) => {
    const before = { cpu: server.cpu(), frames, at: performance.now() };
    await wait(seconds * 1_000);
    const delivered = frames - before.frames;
    return {
      cpuMicroseconds: (server.cpu() - before.cpu) / delivered,
      perSecond: delivered / ((performance.now() - before.at) / 1_000),
    };
  }, server);
  for (const client of clients) client.close();
  await server.stop();
  return result;
}
