import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { readConfig } from '../config.ts';
import { EXIT, required, runAsProcess, type Command } from './console/command.ts';
import { openTarget } from './transfer/databases.ts';
import { importFrom } from './transfer/import-from.ts';
import { progressLines } from './transfer/progress-lines.ts';
import { openExport } from './transfer/read-export.ts';

/** Fills an empty database from an export. */
export const importAll: Command = {
  name: 'import',
  about:
    'Fills an empty database from what npm run export wrote. Stop every server first. After an interruption the same command goes on where it was.',
  options: {
    from: { value: 'FILE', about: 'The export, compressed or not, or - for standard input.' },
    move: { about: 'Lets clients and logins go on, of an export that was made with --move and is imported once.' },
  },
  async run(options, console) {
    const from = required(options, 'from');
    const isMove = options['move'] === true;
    const input: Readable = from === '-' ? console.stdin : createReadStream(resolve(from));
    try {
      const opened = await openExport(input);
      const { database, name } = await openTarget(readConfig(console.variables));
      try {
        const outcome = await importFrom(opened, database, {
          isMove,
          name,
          onProgress: progressLines(console, 'Imported'),
        });
        console.print(outcome);
        return EXIT.done;
      } finally {
        await database.close();
      }
    } finally {
      input.destroy();
    }
  },
};

if (import.meta.main) await runAsProcess(importAll);
