import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { exportAll } from '../../../src/commands/export.ts';
import { importAll } from '../../../src/commands/import.ts';
import { run } from '../../commands/run-command.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../../support/mongodb-server.ts';
import { copies, lookAt, moves, newFolder } from '../../support/moving.ts';

vi.setConfig({ testTimeout: 60_000 });

describeWith('ferretdb', 'on a server of the protocol', () => {
  let mongodb: MongodbServer;
  beforeAll(async () => void (mongodb = await startMongodb()));
  afterAll(() => mongodb.stop());
  const newDatabase = () => ({ ...newFolder(), MONGODB_URL: mongodb.newDatabase() });

  test('after a move from SQLite to MongoDB every answer is the same, and clients go on', () =>
    moves(newFolder(), newDatabase()));

  test('after a move from MongoDB to SQLite every answer is the same, and clients go on', () =>
    moves(newDatabase(), newFolder()));

  test('a copy of MongoDB is made while the server runs, and is another database', () =>
    copies(newDatabase(), newFolder()));

  test('while a server runs nothing is moved from its database, and nothing imported', async () => {
    const place = newDatabase();
    const server = await lookAt(place);
    await server.signUp('alice');
    const { output } = await run(exportAll, ['--to', '-'], place);
    const refusals = await Promise.all([
      run(exportAll, ['--move', '--to', '-'], place),
      run(importAll, ['--from', '-'], place, output),
    ]);
    const says = expect.stringMatching(/^Servers are running on mongodb:\S+: stop them all first\.$/);
    expect(refusals).toEqual([1, 1].map((code) => ({ code, output: '', errors: says })));
  });
});
