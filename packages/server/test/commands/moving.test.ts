import { expect, test, vi } from 'vitest';
import { exportAll } from '../../src/commands/export.ts';
import { importAll } from '../../src/commands/import.ts';
import { copies, lookAt, moves, must, newFolder } from '../support/moving.ts';
import { run } from './run-command.ts';

vi.setConfig({ testTimeout: 60_000 });

test('after a move from SQLite to SQLite every answer is the same, and clients go on', () =>
  moves(newFolder(), newFolder()));

test('a copy of SQLite is made while the server runs, and is another database', () => copies(newFolder(), newFolder()));

test('what was exported to be moved can be imported as a copy: without logins, and as another database', async () => {
  const [from, to] = [newFolder(), newFolder()];
  const server = await lookAt(from);
  const alice = await server.signUp('alice');
  const { epoch } = server.context.store;
  await server.close();
  const { output } = await must(exportAll, ['--move', '--to', '-'], from);
  await must(importAll, ['--from', '-'], to, output);
  const copy = await lookAt(to);
  expect(copy.context.store.epoch).not.toBe(epoch);
  expect((await copy.call('GET', '/auth/me', { token: alice.token })).status).toBe(401);
  expect((await copy.logIn('alice')).id).toBe(alice.id);
});

test('a move wants the server stopped', async () => {
  const place = newFolder();
  await lookAt(place);
  const refused = await run(exportAll, ['--move', '--to', '-'], { ...place });
  expect(refused).toMatchObject({ code: 1, output: '' });
  expect(refused.errors).toMatch(/Another server is using the data folder/);
});
