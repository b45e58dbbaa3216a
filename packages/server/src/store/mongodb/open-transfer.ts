import { Refusal } from '../../failure.ts';
import { shownUrl } from '../mongodb-url.ts';
import { UnfinishedImport, type TransferSource, type TransferTarget } from '../transfer.ts';
import type { Database } from './collections.ts';
import { isInUse } from './in-use.ts';
import { openDatabase } from './open-database.ts';
import { mongoSource } from './transfer-source.ts';
import { importProgress, isEmpty, mongoTarget } from './transfer-target.ts';

/** A thousand events in one request may take a small server this long. */
const PATIENCE_MS = 60_000;

/** Servers are running on a database that a command wants alone. */
class DatabaseInUse extends Error {
  constructor(url: string) {
    super(`Servers are running on ${shownUrl(url)}: stop them all first.`);
    this.name = 'DatabaseInUse';
  }
}

/** Opens a database to read everything; a move wants it alone. @throws {DatabaseInUse}, {UnfinishedImport} */
export async function openMongoSource(url: string, isMove: boolean): Promise<TransferSource> {
  const { client, db, epoch } = await openDatabase(url, PATIENCE_MS);
  try {
    if ((await importProgress(db))?.is_finished === false) throw new UnfinishedImport(shownUrl(url));
    if (await isEmpty(db)) throw new Refusal(`${shownUrl(url)} is empty. Does MONGODB_URL name the right database?`);
    if (isMove) await refuseUse(db, url);
    return mongoSource(db, epoch, () => client.close());
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Opens or makes a database, to fill it. @throws {DatabaseInUse} */
export async function openMongoTarget(url: string): Promise<TransferTarget> {
  const { client, db } = await openDatabase(url, PATIENCE_MS);
  try {
    await refuseUse(db, url);
    return mongoTarget(db, () => client.close());
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function refuseUse(db: Database, url: string): Promise<void> {
  if (await isInUse(db)) throw new DatabaseInUse(url);
}
