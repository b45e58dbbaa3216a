import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSecret } from '../../src/accounts/secret.ts';
import { readConfig } from '../../src/config.ts';

let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'tertulia-secret-'))));
afterEach(() => rm(directory, { recursive: true }));

const development = readConfig({});
const file = () => join(directory, 'data', 'jwt-secret');
const load = () => loadSecret(development, join(directory, 'data'));

test('the development secret is made once, is long, and only its owner may read it', async () => {
  const first = await load();
  expect(Buffer.byteLength(first)).toBeGreaterThanOrEqual(48);
  expect(await load()).toBe(first);
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, 'data'))).mode & 0o777).toBe(0o700);
});

test('starts at the same time agree on one secret and leave no drafts', async () => {
  const secrets = await Promise.all(Array.from({ length: 10 }, load));
  expect(new Set(secrets).size).toBe(1);
  expect(await readdir(join(directory, 'data'))).toEqual(['jwt-secret']);
});

test('a secret that others may read is refused with what to do', async () => {
  await load();
  await chmod(file(), 0o644);
  await expect(load()).rejects.toThrow(/jwt-secret: others may read it \(mode 644\); run chmod 600/);
});

test('a file that holds no secret is refused and left alone', async () => {
  await load();
  await writeFile(file(), 'short');
  await expect(load()).rejects.toThrow(/holds no secret of 32 bytes/);
  expect(await readFile(file(), 'utf8')).toBe('short');
});

test('JWT_SECRET counts where it is set, and nothing is written', async () => {
  const secret = 'the secret from the environment, 40 bytes';
  expect(await loadSecret(readConfig({ JWT_SECRET: secret }), join(directory, 'data'))).toBe(secret);
  expect(await readdir(directory)).toEqual([]);
});

test.each([undefined, 'changeme', 'x'.repeat(31), 'a'.repeat(64), 'your-secret-key'])(
  'production does not start with JWT_SECRET=%s',
  (JWT_SECRET) => {
    expect(() => readConfig({ ENVIRONMENT: 'production', JWT_SECRET })).toThrow(/JWT_SECRET/);
  },
);
