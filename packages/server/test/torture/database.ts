import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SettingName } from '../../src/config.ts';
import type { Store } from '../../src/store/store.ts';
import { openStore } from '../crash/world.ts';

/** The database that the nodes of a trial share. */
export interface Database {
  readonly about: string;
  /** The program that a node runs. */
  readonly main: string;
  /** What nodes must be told to use it. */
  readonly settings: Partial<Record<SettingName, string>>;
  /** Questions a second that it bears on a small machine. */
  readonly rate: number;
  /** Opens it beside the nodes. */
  open(): Promise<Store>;
  close(): Promise<void>;
}

/** One file on this machine. */
export function sqliteDatabase(directory: string): Database {
  const folder = join(directory, 'data');
  return {
    about: 'SQLite',
    main: fileURLToPath(new URL('./sqlite-node.ts', import.meta.url)),
    settings: { DATA_DIR: folder },
    rate: 150,
    open: () => openStore(folder),
    close: () => Promise.resolve(),
  };
}
