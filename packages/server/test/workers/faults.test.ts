import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkRun } from '../crash/check-run.ts';
import { Crowd, type Device } from '../crash/crowd.ts';
import { entriesOf, type Entry } from '../crash/history.ts';
import { startLoad } from '../crash/load.ts';
import { randomFrom, seedOf } from '../crash/random.ts';
import { CRASH_SETTINGS } from '../crash/settings.ts';
import { seriousFaults } from '../crash/summary.ts';
import { drain, makeWorld, openStore, type WorldPlan } from '../crash/world.ts';
import { Workers, workerOf } from './workers.ts';

// The load and its end take a while on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

/** Workers are killed this often. */
const kills = Number(process.env['WORKER_KILLS'] ?? 3);
const seed = seedOf(process.env['SEED']);

const PLAN: WorldPlan = { people: ['ada', 'ben', 'cleo', 'dan', 'eva', 'finn'], chats: 6, streams: 6, members: 3 };
const NAMES = ['here.w1', 'here.w2', 'here.w3'];

let server: Workers;
beforeEach(async () => void (server = await Workers.start(NAMES.length, CRASH_SETTINGS)));
afterEach(() => server?.close());

test('workers killed under load lose, double and reorder nothing, and no client sees more than a reconnect', async () => {
  console.log(`SEED=${seed} WORKER_KILLS=${kills}`);
  const random = randomFrom(seed);
  const store = await openStore(server.directory, false);
  const world = await makeWorld(store, PLAN);
  const devices = world.people.flatMap((person, index): Device[] => [
    { person, layer: 'extended', polls: index % 2 === 0, url: server.url },
    { person, layer: 'base', polls: index % 3 !== 0, url: server.url },
  ]);
  const history: Entry[] = [];
  const crowd = new Crowd(world, devices, NAMES, history);
  const stopLoad = startLoad(crowd.loads, { chats: 60, streams: 3, openings: 1 }, random);
  const lines = () => server.program.output.split('\n');
  const lastLines = () => lines().slice(-20).join('\n');
  /** What ended of itself, and what went wrong on the way. */
  const severe = () => lines().filter((line) => /"level":[56]0/.test(line) && !line.includes('"how":"SIGKILL"'));
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      await crowd.allBack(lastLines);
      await delay(300 + random() * 1_000);
      expect(severe()).toEqual([]);
      await server.replace(NAMES[Math.floor(random() * NAMES.length)]!);
    }
    await crowd.allBack(lastLines);
    stopLoad();
    await crowd.calmDown(lastLines);
  } finally {
    stopLoad();
    crowd.close();
  }
  const { code } = await server.stop();
  expect(severe()).toEqual([]);
  const drained = await drain(
    store,
    world.people.map(({ id }) => id),
  );
  await store.close();
  expect(seriousFaults(checkRun(history, drained)).slice(0, 20)).toEqual([]);
  expect(entriesOf(history, 'fail')).toEqual([]);
  expect(drained.tasks.filter(({ status, attempt }) => status === 'failed' && attempt < 3)).toEqual([]);
  expect(entriesOf(history, 'ok').length).toBeGreaterThan(100);
  expect(code).toBe(0);
});

test('a worker that hangs for a while piles nothing up, and its clients have everything afterwards', async () => {
  const person = await server.signUp('alice');
  const [sender, , reader] = await server.connectToEach(person, { protocol: 1, transports: ['websocket'] });
  const { body } = await server.call('POST', '/conversations', { token: person.token, json: { title: 'a room' } });
  await reader!.ask('join_conversation', { conversation_id: body.id, after_seq: 0 });
  const pid = server.pidOf(workerOf(reader!));
  process.kill(pid, 'SIGSTOP');
  let last = 0;
  try {
    const isFull = () => server.program.output.includes('a worker does not read what others tell it');
    const message = `long\nscript: {"steps":[{"text":"short"}]}\n${'x'.repeat(15_000)}`;
    const send = () => sender!.ask('chat', { conversation_id: body.id, message });
    while (!isFull()) last = Math.max(...(await Promise.all(Array.from({ length: 20 }, send))).map(({ seq }) => seq));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await reader!.next('conversation_event', ({ seq }) => seq >= last);
  const seqs = reader!.received.filter(({ name }) => name === 'conversation_event').map(({ payload }) => payload.seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 2));
});
