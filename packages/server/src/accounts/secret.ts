import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, type Config } from '../config.ts';

const FILE = 'jwt-secret';

/**
 * The secret that signs access tokens: JWT_SECRET, or in development one that is made once and kept in the data folder.
 * @throws {ConfigError} where the kept one could be read by others, or is not one.
 */
export async function loadSecret(config: Config, dataDir: string): Promise<string> {
  if (config.JWT_SECRET !== undefined) return config.JWT_SECRET;
  if (config.ENVIRONMENT === 'production') throw new ConfigError(['JWT_SECRET: is required in production']);
  const path = join(dataDir, FILE);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  return (await readSecret(path)) ?? (await makeSecret(path));
}

async function readSecret(path: string): Promise<string | null> {
  const found = await stat(path).catch(nullIfMissing);
  if (!found) return null;
  const mode = found.mode & 0o777;
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new ConfigError([
      `${path}: others may read it (mode ${mode.toString(8)}); run chmod 600 on it, or delete it`,
    ]);
  }
  const secret = (await readFile(path, 'utf8')).trim();
  if (Buffer.byteLength(secret) < 32) throw new ConfigError([`${path}: holds no secret of 32 bytes; delete it`]);
  return secret;
}

/** Written whole under another name first; the link fails where another process was faster, and its secret counts. */
async function makeSecret(path: string): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(48).toString('base64url')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
  const secret = await readSecret(path);
  if (secret === null) throw new Error(`${path} vanished while it was made`);
  return secret;
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
