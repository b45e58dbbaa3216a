import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort, ServerProcess } from './server-process.ts';
import { CRASH_SETTINGS } from './settings.ts';
import { Storm, writeInto } from './storm.ts';
import { spread } from './summary.ts';
import { makeWorld, openStore, type World, type WorldPlan } from './world.ts';

const CLIENTS = 1_000;
const PEOPLE = Array.from({ length: 50 }, (_, index) => `person-${index}`);
const PLAN: WorldPlan = { people: PEOPLE, chats: PEOPLE.length, streams: 0, members: 3 };
/** Messages in each conversation before the storm, and those that its clients have missed. */
const BEFORE = 50;
const BACKLOG = 20;

let directory = '';
let server: ServerProcess | undefined;
let storm: Storm;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tertulia-storm-'));
  storm = new Storm();
});

afterEach(async () => {
  storm.close();
  await server?.kill();
  await rm(directory, { recursive: true, force: true });
});

async function worldWithMessages(): Promise<World> {
  const store = await openStore(directory);
  const world = await makeWorld(store, PLAN);
  await writeInto(store, world.chats, BEFORE);
  await store.close();
  return world;
}

/** Messages that were written while nobody was connected. */
async function writeBacklog({ chats }: World): Promise<void> {
  const store = await openStore(directory);
  await writeInto(store, chats, BACKLOG);
  await store.close();
}

test(
  'a thousand clients that come back at once after a crash are all there again with all they missed',
  { timeout: 180_000 },
  async () => {
    const world = await worldWithMessages();
    const options = { directory, port: await freePort(), settings: { ...CRASH_SETTINGS, ASSISTANT: 'none' } };
    server = await ServerProcess.start(options);
    storm.connect(`http://127.0.0.1:${options.port}`, CLIENTS, world);
    await storm.allBack(world.chats, PLAN.members + BEFORE);
    await server.kill();
    await writeBacklog(world);
    server = await ServerProcess.start(options);
    const listening = performance.timeOrigin + performance.now();
    const { back, faults } = await storm.allBack(world.chats, PLAN.members + BEFORE + BACKLOG);
    console.log(
      `${CLIENTS} clients back after a restart, each ${PLAN.members} conversations with ${BACKLOG} missed messages, ms since it listened:`,
    );
    console.log(`  ${spread(back.map((at) => at - listening))}`);
    expect(back).toHaveLength(CLIENTS);
    expect(faults.slice(0, 10)).toEqual([]);
  },
);
