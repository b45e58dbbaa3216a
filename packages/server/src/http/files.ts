import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Context } from 'hono';
import type { HttpEnv } from './parts.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/** Files that may be served: by the path of their address, the place on disk. What is not in it does not exist. */
export type FileList = ReadonlyMap<string, string>;

/** The files below a folder whose type is known, without hidden ones and links, by their path from there. */
export function listFiles(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isFile() && TYPES[extname(entry.name)]) files.set(entry.name, path);
    if (entry.isDirectory()) for (const [below, found] of listFiles(path)) files.set(`${entry.name}/${below}`, found);
  }
  return files;
}

/** Answers a listed file, or 304 where the asker has it; null for any other name. */
export async function serveFile(c: Context<HttpEnv>, files: FileList, name: string): Promise<Response | null> {
  const path = files.get(name);
  const type = TYPES[extname(name)];
  if (path === undefined || type === undefined) return null;
  const content = await readFile(path);
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  c.header('ETag', etag);
  c.header('Cache-Control', 'no-cache');
  if (knows(c.req.header('if-none-match'), etag)) return c.body(null, 304);
  return c.body(content, 200, { 'Content-Type': type });
}

/** Compared as RFC 9110 says: several may be named, and a proxy may have made them weak. */
function knows(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '')));
}
