import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { entriesOf, type Entry } from './history.ts';
import { OutboxClient } from './outbox-client.ts';
import { freePort, ServerProcess } from './server-process.ts';
import { CRASH_SETTINGS } from './settings.ts';
import { until } from './until.ts';
import { openConversation, openStore, settleIn } from './world.ts';

const QUESTIONS = 10;
/** Well above what the answers take, well below a sweep for each of them. */
const TAKE_UP_MS = 15_000;
const LOOK_MS = 100;
const QUESTION = 'what?\nscript: {"steps": [{"delay_ms": 500}, {"text": "this"}]}';

let directory = '';
let server: ServerProcess | undefined;
let client: OutboxClient | undefined;
let history: Entry[] = [];

beforeEach(async () => {
  history = [];
  directory = await mkdtemp(join(tmpdir(), 'tertulia-take-up-'));
});

afterEach(async () => {
  client?.close();
  await server?.kill();
  await rm(directory, { recursive: true, force: true });
});

/** Asks in conversations, one question each time; kills the server before most answers, and starts it again. */
async function askAndCrash(count: number, questionsEach: number): Promise<OutboxClient> {
  const store = await openStore(directory);
  const [ann] = await settleIn(store, ['ann']);
  const conversations = await Promise.all(Array.from({ length: count }, () => openConversation(store, [ann!])));
  await store.close();
  const options = { directory, port: await freePort(), settings: { ...CRASH_SETTINGS, TASKS_RUNNING: '2' } };
  server = await ServerProcess.start(options);
  const url = `http://127.0.0.1:${options.port}`;
  const asking = new OutboxClient({ name: 'ann', url, token: ann!.token, user_id: ann!.id, conversations }, history);
  client = asking;
  await until(() => asking.isCaughtUp, 10_000, 'connected');
  for (const id of conversations) for (let asked = 0; asked < questionsEach; asked += 1) asking.send(QUESTION, id);
  await until(() => asking.waiting === 0, 10_000, 'all acknowledged');
  await server.kill();
  server = await ServerProcess.start(options);
  await until(() => asking.isCaughtUp, 10_000, 'back');
  return asking;
}

test('questions that waited in one conversation when the server died are answered one after another', async () => {
  const asking = await askAndCrash(1, QUESTIONS);
  await until(() => asking.isQuiet(), TAKE_UP_MS, 'all answered', LOOK_MS);
  expect(entriesOf(history, 'ok')).toHaveLength(QUESTIONS);
});

test('questions that waited for a place to run when the server died run as soon as there is one', async () => {
  const asking = await askAndCrash(QUESTIONS, 1);
  await until(() => asking.isQuiet(), TAKE_UP_MS, 'all answered', LOOK_MS);
  expect(entriesOf(history, 'ok')).toHaveLength(QUESTIONS);
});
