import type { ImportProgress, TransferRecord, TransferTarget } from '../transfer.ts';
import type { Database } from './collections.ts';
import { insertOnce } from './insert-once.ts';
import { answered, NotYetReadable } from './retry.ts';
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
      await put(db, 'import', JSON.stringify(progress));
    },
    async finish(progress, epoch) {
      if (epoch !== null) await put(db, 'epoch', epoch);
      await put(db, 'import', JSON.stringify(progress));
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

/** In the place of the value that was read: what a network held back comes too late to find it, and changes nothing. */
async function put({ meta }: Database, _id: string, value: string): Promise<void> {
  await answered(async () => {
    const standing = await meta.findOne({ _id });
    if (standing) await meta.updateOne({ _id, value: standing.value }, { $set: { value } });
    else if (!(await insertOnce(meta, { _id, value }))) throw new NotYetReadable();
  });
}
