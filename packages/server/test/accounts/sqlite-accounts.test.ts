import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { DATABASE_FILE, SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { accountStoreContract } from './store-contract.ts';

async function open() {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-accounts-'));
  const store = await SqliteStore.open({
    directory,
    exclusive: true,
    onFatal: (error) => expect.unreachable(error.message),
  });
  return {
    directory,
    accounts: store.accounts,
    close: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

accountStoreContract('SQLite', open);

test('sessions that are over go with their tokens as others sign in', async () => {
  const { accounts, directory, close } = await open();
  const names = { username: 'a', username_key: 'a', email: 'a@b', email_key: 'a@b', full_name: null };
  await accounts.createUser({ id: 'u', ...names, password_hash: 'h', is_superuser: false, created_at: '' });
  const peer = { user_id: 'u', password_generation: 1, address: null, user_agent: null };
  for (let count = 0; count < 12; count += 1) {
    await accounts.createSession({ ...peer, id: `over${count}`, token_hash: `over${count}`, lifetime_ms: 60_000 });
  }
  const db = new DatabaseSync(join(directory, DATABASE_FILE), { timeout: 5_000 });
  db.exec('UPDATE sessions SET expires_at = 1');
  for (const id of ['live1', 'live2']) {
    await accounts.createSession({ ...peer, id, token_hash: id, lifetime_ms: 60_000 });
  }
  const column = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  expect(column('SELECT id FROM sessions ORDER BY id')).toEqual(['live1', 'live2']);
  expect(column('SELECT hash FROM refresh_tokens ORDER BY hash')).toEqual(['live1', 'live2']);
  db.close();
  await close();
});
