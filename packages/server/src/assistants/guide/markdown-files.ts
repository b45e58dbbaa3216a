import { constants, type Dirent } from 'node:fs';
import { type FileHandle, open, opendir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A Markdown file as it lies in the folder. */
export interface MarkdownFile {
  /** Relative to the folder, with forward slashes. */
  readonly file: string;
  /** Changes whenever the file does. */
  readonly stamp: string;
  readonly read: () => Promise<string>;
}

/** Takes a sentence on a file that is left out. */
export type Warn = (message: string) => void;

const FILE_MAX = 1024 * 1024;
const FILES_MAX = 5_000;
const ENTRIES_MAX = 100_000;
const DEPTH_MAX = 16;

/**
 * Walks a folder. Left out with a warning: what cannot be read, files over 1 MiB, links that lead out of the folder, and
 * whatever is beyond 5,000 files. Left out silently: hidden names, `node_modules`, linked folders, and what vanishes meanwhile.
 */
export async function* markdownFiles(folder: string, warn: Warn): AsyncGenerator<MarkdownFile> {
  const root = await realpath(folder);
  let files = 0;
  for await (const file of candidates(root, warn)) {
    if (files === FILES_MAX) {
      warn(`The folder ${folder} has more than ${FILES_MAX} Markdown files; the rest is left out.`);
      return;
    }
    const found = await inspect(root, file, warn);
    if (!found) continue;
    files += 1;
    yield found;
  }
}

async function* candidates(root: string, warn: Warn): AsyncGenerator<string> {
  const waiting: { path: string; depth: number }[] = [{ path: '', depth: 0 }];
  let entries = 0;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const entry of await entriesOf(root, next.path, warn)) {
      const path = next.path === '' ? entry.name : `${next.path}/${entry.name}`;
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (++entries > ENTRIES_MAX) return warn(`The folder ${root} has too many entries; the rest is left out.`);
      if (entry.isDirectory() && next.depth < DEPTH_MAX) waiting.push({ path, depth: next.depth + 1 });
      else if (/\.(?:md|markdown)$/i.test(entry.name) && (entry.isFile() || entry.isSymbolicLink())) yield path;
    }
  }
}

async function entriesOf(root: string, path: string, warn: Warn): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  try {
    for await (const entry of await opendir(join(root, path))) if (entries.push(entry) > ENTRIES_MAX) break;
  } catch (error) {
    // Without the folder itself nothing is known about any file, and a half-read listing must not count as deletions.
    if (path === '' || !vanished(error)) warn(`The folder ${join(root, path)} cannot be read: ${reason(error)}`);
    if (path === '') throw error;
  }
  return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

async function inspect(root: string, file: string, warn: Warn): Promise<MarkdownFile | null> {
  try {
    const path = await realpath(join(root, file));
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) {
      warn(`${join(root, file)} is left out: it links to a place outside of the folder.`);
      return null;
    }
    await using handle = await openFile(path);
    const { size, mtimeMs, ino, ctimeMs } = await statOfFile(handle);
    if (size > FILE_MAX) {
      warn(`${path} is left out: it is larger than 1 MiB.`);
      return null;
    }
    return { file, stamp: [ino, size, mtimeMs, ctimeMs].join(':'), read: () => readFile(path) };
  } catch (error) {
    if (!vanished(error)) warn(`${join(root, file)} is left out: ${reason(error)}`);
    return null;
  }
}

/** Not through a link that was put there after the check, and without waiting for the other end of a pipe. */
function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
}

async function statOfFile(handle: FileHandle) {
  const found = await handle.stat();
  if (!found.isFile()) throw new Error('it is not a regular file');
  return found;
}

async function readFile(path: string): Promise<string> {
  await using handle = await openFile(path);
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(FILE_MAX), 0, FILE_MAX, 0);
  return new TextDecoder().decode(buffer.subarray(0, bytesRead));
}

/** Whether an error says that a file or folder is no longer there, which is no news while people work in it. */
export function vanished(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** An error's own words. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
