import type { ImportProgress, TransferRecord, TransferTarget } from '../transfer.ts';
import type { Database } from './collections.ts';
import { answered } from './retry.ts';
import { addAccounts, addLogins } from './transfer-accounts.ts';
import { addAttempts, addEvents } from './transfer-events.ts';

/** How far an import has come in this database, or null where none was begun. */
export async function importProgress({ meta }: Pick<Database, 'meta'>): Promise<ImportProgress | null> {
  const found = await answered(() => meta.findOne({ _id: 'import' }));
  return found && (JSON.parse(String(found.value)) as ImportProgress);
}

/** Writes records in batches. A batch that was interrupted is written again: every write may be repeated. */
export function mongoTarget(db: Database, close: () => Promise<void>): TransferTarget {
  return {
    progress: () => importProgress(db),
    isEmpty: () => isEmpty(db),
    async add(records, progress) {
      await addAccounts(db, ofKind(records, 'account'));
      await addLogins(db, ofKind(records, 'login'));
      await addEvents(db, ofKind(records, 'event'));
      await addAttempts(db, ofKind(records, 'attempt'));
      await setMeta(db, 'import', JSON.stringify(progress));
    },
    async finish(progress, epoch) {
      if (epoch !== null) await setMeta(db, 'epoch', epoch);
      await setMeta(db, 'import', JSON.stringify(progress));
    },
    close,
  };
}

function ofKind<K extends TransferRecord['kind']>(records: readonly TransferRecord[], kind: K) {
  return records.filter((record): record is Extract<TransferRecord, { kind: K }> => record.kind === kind);
}

/** Whether there is no account, no conversation and no login. */
export async function isEmpty({ db }: Database): Promise<boolean> {
  const names = ['accounts', 'sessions', 'conversations', 'events'];
  const found = await Promise.all(names.map((name) => answered(() => db.collection(name).findOne({}))));
  return found.every((document) => document === null);
}

async function setMeta({ meta }: Database, key: string, value: string): Promise<void> {
  await answered(() => meta.updateOne({ _id: key }, { $set: { value } }, { upsert: true }));
}
