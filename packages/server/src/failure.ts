import { ChatError } from '@tertulia/protocol';

/** A failure that is told to whoever runs the program as one sentence, without a stack trace: what is wrong and what to do. */
export class Refusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Refusal';
  }
}

/** Errors whose message is such a sentence already, by name: each stands in the room that throws it. */
const SENTENCES = new Set([
  'Refusal',
  'ConfigError',
  'AssistantLoadError',
  'DataDirectoryInUse',
  'ForeignDatabase',
  'UnfinishedImport',
  'DatabaseInUse',
  'DatabaseUnreachable',
  'MissingIndex',
]);

/** SQLite's primary result codes that people can do something about. */
const SQLITE: Readonly<Record<number, string>> = {
  5: 'the database is locked by another program; try again, or stop what holds it',
  8: 'the database cannot be written: its file, folder or disk is read-only for this user',
  10: 'the database could not be read or written (disk I/O error); check the disk',
  11: 'the database file is damaged; restore a backup with npm run restore -- --from FILE',
  13: 'the disk is full; free some space',
  14: 'the database file cannot be opened; check that the data folder exists and belongs to this user',
  26: 'the database file is not a database; another program may have written it',
};

/** What the operating system says about files, in words. */
const FILES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read or write it',
  EPERM: 'this user may not change it',
  EROFS: 'it is on a read-only disk',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  ENOENT: 'it, or a folder of its path, is not there',
  EEXIST: 'there is something else by this name',
  ELOOP: 'its links go round in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
};

type SystemError = NodeJS.ErrnoException & {
  readonly errcode?: number;
  readonly port?: number;
  readonly address?: string;
  readonly hostname?: string;
};

/** Why a server cannot listen. */
function explainListening({ code, port = 0, address, hostname }: SystemError): string | null {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${address} is in use by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`;
    case 'EACCES':
      return `Port ${port} is not for this user: choose one from 1024 on, such as PORT=8000 npm start`;
    case 'EADDRNOTAVAIL':
      return `HOST=${address}: this machine has no such address. 127.0.0.1 is this machine only, 0.0.0.0 all of its networks.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST=${hostname}: no address is known by this name. 127.0.0.1 is this machine only, 0.0.0.0 all of its networks.`;
    default:
      return null;
  }
}

/** What a failure of the file system means, as the rest of a sentence; null where it is none. */
export function explainFile(error: unknown): string | null {
  if (error instanceof Refusal) return error.message;
  return FILES[(error as NodeJS.ErrnoException).code ?? ''] ?? null;
}

/** The failure as a sentence for people, or null where nobody foresaw it. `dataDir` names where the database lies. */
export function explainFailure(error: unknown, dataDir: string): string | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof ChatError || SENTENCES.has(error.name)) return error.message;
  const { errcode, code, path, syscall } = error as SystemError;
  if (syscall === 'listen' || syscall === 'bind' || syscall === 'getaddrinfo') return explainListening(error);
  const database = errcode === undefined ? undefined : SQLITE[errcode & 0xff];
  if (database) return `${dataDir}: ${database}.`;
  const file = code === undefined || path === undefined ? undefined : FILES[code];
  return file ? `${path}: ${file}.` : null;
}
