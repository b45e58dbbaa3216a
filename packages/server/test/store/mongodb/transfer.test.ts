import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { exportAll } from '../../../src/commands/export.ts';
import { importAll } from '../../../src/commands/import.ts';
import { openMongoTarget } from '../../../src/store/mongodb/open-transfer.ts';
import type { TransferRecord } from '../../../src/store/transfer.ts';
import { run } from '../../commands/run-command.ts';
import { describeWith } from '../../support/describe-with.ts';
import { makeExport, recordsOf, type Exported } from '../../support/exported.ts';
import { anyOf } from '../../support/faulty-store.ts';
import { FaultProxy, type Rule } from '../../support/mongodb-faults.ts';
import { randomFrom, seedOf } from '../../crash/random.ts';
import { startMongodb, type MongodbServer } from '../../support/mongodb-server.ts';
import { testDirectory } from '../../support/test-directory.ts';
import { LogBuilder } from '../log-builder.ts';

const SEED = seedOf(process.env['SEED']);

vi.setConfig({ testTimeout: 60_000 });

describeWith('ferretdb', 'importing into a server of the protocol', () => {
  let mongodb: MongodbServer;
  let exported: Exported;
  beforeAll(async () => {
    mongodb = await startMongodb();
    exported = await makeExport();
  });
  afterAll(async () => {
    rmSync(exported.directory, { recursive: true });
    await mongodb.stop();
  });

  /** What a database holds, in an order that does not depend on how it came there. */
  async function contentOf(MONGODB_URL: string): Promise<string[]> {
    const { output } = await run(exportAll, ['--to', '-'], { MONGODB_URL, DATA_DIR: testDirectory() });
    return recordsOf(output)
      .map((record) => JSON.stringify(record))
      .toSorted();
  }

  const wanted = () =>
    recordsOf(exported.whole)
      .map((record) => JSON.stringify(record))
      .toSorted();

  /** Every document of some collections. */
  async function documentsIn(url: string, names: readonly string[]) {
    const client = new MongoClient(url);
    const found = await Promise.all(
      names.map((name) => client.db().collection(name).find().sort({ _id: 1 }).toArray()),
    );
    await client.close();
    return found;
  }

  /** Some conversations with tasks in all states, as records in the order of their making. */
  function someRecords(): TransferRecord[] {
    const records: TransferRecord[] = [];
    const log = new LogBuilder();
    const add = (given: ReturnType<LogBuilder['event']>) => {
      records.push({ kind: 'event', ...given });
      log.seq = given.event.seq;
    };
    add(log.created());
    const [answered, open, forgotten] = ['answered', 'open', 'forgotten'].map((text) => {
      const question = log.question(text, { client_msg_id: text });
      add(question.given);
      return question.task.id;
    }) as [string, string, string];
    add(log.answer(answered, 'yes'));
    for (const title of ['soon', 'now', 'at once']) {
      add(log.event('task_updated', { task_id: open, fields: { title, status: 'in_progress' } }));
    }
    add(log.event('task_deleted', { task_id: forgotten }, { ends_task: forgotten }));
    add(log.event('conversation_updated', { title: 'renamed', is_active: false }));
    records.push({ kind: 'attempt', task_id: open, attempt: 2 }, { kind: 'attempt', task_id: answered, attempt: 1 });
    return records;
  }

  test('a part that was interrupted anywhere is stored as if it had not been', async () => {
    const records = someRecords();
    const progress = { export_id: 'any', is_move: true, parts: 1, is_finished: false };
    const store = async (
      steps: readonly (readonly TransferRecord[])[],
      damage?: (client: MongoClient) => Promise<void>,
    ) => {
      const url = mongodb.newDatabase();
      for (const step of steps) {
        const target = await openMongoTarget(url);
        await target.add(step, progress);
        await target.close();
        const client = new MongoClient(url);
        if (step !== steps.at(-1)) await damage?.(client);
        await client.close();
      }
      const [events, conversations, tasks, claims] = await documentsIn(url, [
        'events',
        'conversations',
        'tasks',
        'claims',
      ]);
      return { events, conversations, tasks, claims: claims?.map(({ _id, ...claim }) => claim) };
    };
    const whole = await store([records]);
    expect(whole).toMatchObject({ events: { length: 10 }, tasks: { length: 3 }, claims: [{ attempt: 2 }] });
    expect(await store([records, records])).toEqual(whole);
    for (let length = 1; length < records.length; length += 1) {
      expect(await store([records.slice(0, length), records]), `after ${length} records`).toEqual(whole);
    }
    const withoutViews = await store([records.slice(0, -1), records], async (client) => {
      for (const name of ['conversations', 'tasks']) await client.db().collection(name).deleteMany({});
    });
    expect(withoutViews).toEqual(whole);
  });

  describe('whatever happens between driver and server, everything is stored once', () => {
    const names = ['events', 'conversations', 'tasks', 'meta'];
    const PART = 7;

    /** Stores records in small parts, and answers what the database holds then. */
    async function store(records: readonly TransferRecord[], url: string, proxy?: FaultProxy, rule?: Rule) {
      const target = await openMongoTarget(proxy?.through(url) ?? url);
      if (proxy && rule) proxy.rule = rule;
      const progress = { export_id: 'any', is_move: true, is_finished: false };
      for (let start = 0, parts = 1; start < records.length; start += PART, parts += 1) {
        await target.add(records.slice(start, start + PART), { ...progress, parts });
      }
      await target.finish({ ...progress, parts: 0, is_finished: true }, 'their epoch');
      await target.close();
      await proxy?.settled();
      const [events, conversations, tasks, meta] = await documentsIn(url, names);
      return { events, conversations, tasks, meta: meta?.filter(({ _id }) => String(_id) !== 'schema') };
    }

    const random = randomFrom(SEED);
    const lateViews: Rule = ({ name, collection }) =>
      name === 'update' && collection === 'conversations' && random() < 0.5 ? 'stall' : null;
    test.each<[what: string, rule: Rule]>([
      ['requests and answers are lost', anyOf(random)],
      ['changes come after the next ones', lateViews],
    ])('%s', async (_what, rule) => {
      // Each conversation has something in every part or two.
      const logs = Array.from({ length: 12 }, someRecords);
      const records = logs[0]!.flatMap((_, index) => logs.map((log) => log[index]!));
      const whole = await store(records, mongodb.newDatabase());
      const url = mongodb.newDatabase();
      const proxy = await FaultProxy.start(url);
      onTestFinished(() => proxy.close());
      expect(await store(records, url, proxy, rule), `seed ${SEED}`).toEqual(whole);
      expect(proxy.total).toBeGreaterThan(3);
    });
  });

  test('an import that is killed goes on where it was', async () => {
    const MONGODB_URL = mongodb.newDatabase();
    const path = fileURLToPath(new URL('../../../src/commands/import.ts', import.meta.url));
    const directory = testDirectory();
    const child = spawn(process.execPath, [path, '--move', '--from', '-'], {
      cwd: directory,
      env: { DATA_DIR: directory, MONGODB_URL },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.on('error', () => undefined); // who is killed does not take all of it
    child.stdin.write(exported.whole);
    const client = new MongoClient(MONGODB_URL);
    onTestFinished(() => client.close());
    await vi.waitFor(
      async () => {
        const found = await client.db().collection<{ _id: string; value: string }>('meta').findOne({ _id: 'import' });
        expect(found?.value).toMatch(/"parts":[12]/);
      },
      { timeout: 30_000 },
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    const variables = { MONGODB_URL, DATA_DIR: directory };
    const early = await run(exportAll, ['--to', '-'], variables);
    expect(early).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/holds an import that has not come to its end/),
    });
    const resumed = await run(importAll, ['--move', '--from', '-'], variables, exported.whole);
    expect(resumed).toMatchObject({ code: 0, errors: '' });
    expect(await contentOf(MONGODB_URL)).toEqual(wanted());
    const again = await run(importAll, ['--move', '--from', '-'], variables, exported.whole);
    expect(again).toMatchObject({ code: 0, output: expect.stringMatching(/nothing was changed/) });
  });

  test('only an empty database is filled, and a log without holes is stored', async () => {
    const variables = { MONGODB_URL: mongodb.newDatabase(), DATA_DIR: testDirectory() };
    await run(importAll, ['--from', '-'], variables, exported.whole);
    const other = await run(exportAll, ['--to', '-'], { DATA_DIR: exported.directory });
    const refused = await run(importAll, ['--from', '-'], variables, other.output);
    expect(refused).toMatchObject({ code: 1, errors: expect.stringMatching(/has accounts or conversations already/) });

    const target = await openMongoTarget(mongodb.newDatabase());
    const holey = someRecords().toSpliced(3, 1);
    const progress = { export_id: 'any', is_move: true, parts: 1, is_finished: false };
    await expect(target.add(holey, progress)).rejects.toThrow(/^event 5 of conversation \w+ comes after event 3$/);
    const twice = someRecords();
    for (const record of twice)
      if (record.kind === 'event' && record.sender) Object.assign(record, { client_msg_id: 'same' });
    await expect(target.add(twice, progress)).rejects.toThrow(
      /^an event of conversation \w+ has another in its place$/,
    );
    await target.close();
  });

  test('nothing is exported from a database that is empty', async () => {
    const refused = await run(exportAll, ['--to', '-'], {
      MONGODB_URL: mongodb.newDatabase(),
      DATA_DIR: testDirectory(),
    });
    expect(refused).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringMatching(/ is empty\. Does MONGODB_URL/),
    });
  });
});
