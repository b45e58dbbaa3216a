import { statSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { expect, onTestFinished } from 'vitest';
import { exportAll } from '../../src/commands/export.ts';
import { importAll } from '../../src/commands/import.ts';
import type { TransferRecord } from '../../src/store/transfer.ts';
import { run } from '../commands/run-command.ts';
import { askEverything, makeEverything, moody, type Everything } from './everything.ts';
import { recordsOf } from './exported.ts';
import { TEST_SECRET } from './start-http.ts';
import { startServer, type TestServer } from './start-server.ts';
import { testDirectory } from './test-directory.ts';

/** Nobody claims a task at a server with these settings, so it answers the same as long as it is asked. */
const LOOKING = { ASSISTANT: 'external', JWT_SECRET: TEST_SECRET };

/** A place for a database: the variables that name it. */
export type Place = { DATA_DIR: string; MONGODB_URL?: string };

/** A place for SQLite, for one test. */
export function newFolder(): Place {
  return { DATA_DIR: testDirectory() };
}

/** Starts a server that leaves everything as it is. */
export async function lookAt({ DATA_DIR, ...settings }: Place): Promise<TestServer> {
  const server = await startServer({ directory: DATA_DIR, settings: { ...settings, ...LOOKING } });
  onTestFinished(() => server.close());
  return server;
}

/** Fills a database with everything, and answers who lives there. */
async function fill({ DATA_DIR, ...settings }: Place): Promise<Everything> {
  const server = await startServer({
    directory: DATA_DIR,
    settings: { ...settings, JWT_SECRET: TEST_SECRET },
    assistant: moody,
  });
  try {
    return await makeEverything(server);
  } finally {
    await server.close();
  }
}

/** Everything that an export holds, in an order that every store has. */
function sortedRecords(text: string): TransferRecord[] {
  return recordsOf(text)
    .map((record) => ({ record, key: keyOf(record) }))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ record }) => record);
}

function keyOf(record: TransferRecord): string {
  if (record.kind === 'attempt') return `attempt ${record.task_id}`;
  if (record.kind !== 'event') return `${record.kind} ${record.id}`;
  const { conversation_id, seq } = record.event;
  return `event ${conversation_id} ${String(seq).padStart(9, '0')}`;
}

/** As if the servers on it had stopped half a minute ago: a command waits until it can be sure that they are gone. */
async function letTimePass({ MONGODB_URL: url }: Place): Promise<void> {
  if (url === undefined) return;
  const client = new MongoClient(url);
  await client.db().collection<{ _id: string }>('meta').deleteOne({ _id: 'used' });
  await client.close();
}

/** Runs a command that has to succeed. */
export async function must(...[command, words, place, input]: Parameters<typeof run>) {
  const answer = await run(command, words, { ...place, JWT_SECRET: TEST_SECRET }, input);
  expect(answer).toMatchObject({ code: 0 });
  return answer;
}

/** Every answer is the same after a move, and clients go on. */
export async function moves(from: Place, to: Place): Promise<void> {
  const everything = await fill(from);
  const [alice, bob, carol] = everything.people;
  const [shared] = everything.conversations;
  const before = await lookAt(from);
  const answers = await askEverything(before, everything);
  for (const status of ['pending', 'in_progress', 'completed', 'failed', 'cancelled']) {
    const lists = everything.people.map(({ username }) => answers.get(`${username} /tasks?status=${status}`));
    expect(lists, status).toContainEqual({ status: 200, body: expect.toSatisfy(({ total }) => total > 0) });
  }
  const { epoch } = before.context.store;
  await before.close();
  await letTimePass(from);

  const { output } = await must(exportAll, ['--move', '--to', '-'], from);
  await must(importAll, ['--move', '--from', '-'], to, output);
  const again = await must(exportAll, ['--to', '-'], to);
  const records = sortedRecords(output);
  expect(sortedRecords(again.output)).toEqual(records.filter(({ kind }) => kind !== 'login'));
  // Two tasks were deleted; one of them was open, and so ended by that.
  const deletions = records.filter((record) => record.kind === 'event' && record.event.type === 'task_deleted');
  expect(deletions).toHaveLength(2);
  expect(deletions.filter((record) => record.kind === 'event' && record.ends_task !== null)).toHaveLength(1);
  const after = await lookAt(to);
  const found = await askEverything(after, everything);
  for (const [path, answer] of answers) expect.soft(found.get(path), path).toEqual(answer);
  expect(found.size).toBe(answers.size);

  const client = await after.connect(alice!, { protocol: 1 });
  expect(client.received[0]?.payload.store_epoch).toBe(epoch);
  const { body: conversation } = await after.call('GET', `/conversations/${shared}`, { token: alice!.token });
  const seen = conversation.last_seq - 2;
  const page = await client.ask('join_conversation', { conversation_id: shared, after_seq: seen });
  expect(page).toMatchObject({ ok: true, complete: true, events: [{ seq: seen + 1 }, { seq: seen + 2 }] });
  expect(page.reset).toBeUndefined();
  const next = await client.ask('chat', { conversation_id: shared, message: 'still here' });
  expect(next.seq).toBe(seen + 3);
  const repeated = { message: 'delete this', client_msg_id: 'deleted-0' };
  expect((await after.call('POST', '/chat', { token: bob!.token, json: repeated })).status).toBe(404);
  const refreshed = await after.call('POST', '/auth/refresh', { json: { refresh_token: alice!.refresh_token } });
  expect(refreshed.status).toBe(200);
  // A refresh token that was used before the move is still known: whoever has it loses the login.
  const stolen = { refresh_token: carol!.refresh_token };
  expect((await after.call('POST', '/auth/refresh', { json: stolen })).status).toBe(401);
  expect((await after.call('GET', '/auth/me', { token: carol!.token })).status).toBe(401);
  // The old place is another one from now on, should somebody start it again.
  expect((await lookAt(from)).context.store.epoch).not.toBe(epoch);
}

/** A copy is made while the server runs, and is another database. */
export async function copies(from: Place, to: Place): Promise<void> {
  const server = await lookAt(from);
  const alice = await server.signUp('alice');
  const client = await server.connect(alice, { protocol: 1 });
  const sends = Array.from({ length: 300 }, (_, number) => client.ask('chat', { message: `message ${number}` }));
  const sent = await Promise.all(sends.slice(0, 50));
  const path = join(testDirectory(), 'copy.ndjson.gz');
  const made = await must(exportAll, ['--to', path], from);
  await Promise.all(sends);
  expect(made.output).toContain(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);

  const refused = await run(importAll, ['--move', '--from', path], to);
  expect(refused.errors).toMatch(/^The export is a copy/);
  await must(importAll, ['--from', path], to);
  const copy = await lookAt(to);
  expect(copy.context.store.epoch).not.toBe(server.context.store.epoch);
  expect((await copy.call('GET', '/auth/me', { token: alice.token })).status).toBe(401);
  const { token } = await copy.logIn('alice');
  for (const { conversation_id, user_message } of sent) {
    const { body } = await copy.call('GET', `/conversations/${conversation_id}/messages`, { token });
    expect(body.messages).toEqual([user_message]);
  }
}
