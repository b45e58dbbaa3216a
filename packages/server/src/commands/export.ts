import { mkdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { readConfig, type Config } from '../config.ts';
import { Refusal } from '../failure.ts';
import { EXIT, runAsProcess, type Command } from './console/command.ts';
import { sizeOf, stampOf } from './console/database-file.ts';
import { writeNewFile } from './console/new-file.ts';
import { openSource } from './transfer/databases.ts';
import { progressLines } from './transfer/progress-lines.ts';
import { exportText } from './transfer/write-export.ts';

/** Writes everything in the database to one file that any store can be filled from. */
export const exportAll: Command = {
  name: 'export',
  about:
    'Writes accounts and conversations to a file, from which npm run import fills another database. Without --move it may be run while the server runs.',
  options: {
    to: {
      value: 'FILE',
      about:
        'Where to, or - for standard output; a name that ends in .gz is compressed. By default a dated file in DATA_DIR/exports.',
    },
    move: {
      about:
        'Lets clients and logins go on where it is imported. Stop every server first; this database gets a new epoch.',
    },
  },
  async run(options, console) {
    const config = readConfig(console.variables);
    const to = typeof options['to'] === 'string' ? options['to'] : byDefault(config);
    const isMove = options['move'] === true;
    const { database: source, name } = await openSource(config, isMove);
    try {
      const onProgress = progressLines(console, 'Exported');
      const text = exportText({ source, isMove, onProgress });
      const what = isMove ? 'Everything' : 'A copy of everything but the logins';
      if (to === '-') {
        await writeOut(text, console.stdout);
        console.complain(`${what} in ${name} was exported.`);
      } else {
        const path = resolve(to);
        if (options['to'] === undefined) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeNewFile(path, 'an export', (file) => fill(file, text, path.endsWith('.gz')));
        console.print(`${what} in ${name} was exported to ${path} (${sizeOf((await stat(path)).size)}).`);
      }
      return EXIT.done;
    } finally {
      await source.close();
    }
  },
};

function byDefault({ DATA_DIR }: Config): string {
  return join(DATA_DIR, 'exports', `tertulia-${stampOf(new Date())}.ndjson.gz`);
}

async function fill(file: FileHandle, text: AsyncIterable<string>, isCompressed: boolean): Promise<void> {
  const to = file.createWriteStream({ flush: true });
  await (isCompressed ? pipeline(text, createGzip(), to) : pipeline(text, to));
}

async function writeOut(text: AsyncIterable<string>, stdout: Writable): Promise<void> {
  try {
    await pipeline(text, stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    throw new Refusal('Whoever read the export stopped reading; it is not whole.', { cause: error });
  }
}

if (import.meta.main) await runAsProcess(exportAll);
