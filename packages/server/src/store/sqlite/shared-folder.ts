import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from './database.ts';
import { migrate } from './migrations.ts';
import { DATABASE_FILE, lockDirectory, makePrivate } from './sqlite-store.ts';

/** The primary waits no longer for its turn: until it has had it, it passes nothing on. */
const TURN_MS = 1_000;

/**
 * A data folder that several servers of this machine use, held for them against all others. While it is held the
 * database stays open, so that no server that ends is the last one, which would lock it for the time of its last cleaning.
 */
export class SharedFolder {
  readonly #lock: { release(): void };
  readonly #db: DatabaseSync;

  /**
   * Holds the folder, brings its database to the newest schema, and ends what leases stand: nobody uses it yet.
   * @throws {DataDirectoryInUse} and whatever keeps the file from being opened or migrated.
   */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#lock = lockDirectory(directory);
    try {
      const path = join(directory, DATABASE_FILE);
      makePrivate(path);
      this.#db = openDatabase(path);
      migrate(this.#db);
      this.#db.exec(`UPDATE claims SET lease_until = 0; PRAGMA busy_timeout = ${TURN_MS}`);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  /** A server has ended: others may take up at once what it ran. @throws where nothing can be written now */
  releaseLeasesOf(nodeId: string): void {
    this.#db.prepare("UPDATE claims SET lease_until = 0 WHERE owner LIKE ? || ':%'").run(nodeId);
  }

  close(): void {
    this.#db.close();
    this.#lock.release();
  }
}
