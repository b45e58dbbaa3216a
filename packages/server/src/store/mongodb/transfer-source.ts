import { randomUUID } from 'node:crypto';
import type { AttemptRecord, EventRecord, TransferCounts, TransferRecord, TransferSource } from '../transfer.ts';
import { inBatches } from './batches.ts';
import type { Database, EventDocument } from './collections.ts';
import { toEvent } from './event-documents.ts';
import { answered } from './retry.ts';
import { lastAttempt } from './running.ts';
import { accountRecords, loginRecords } from './transfer-accounts.ts';

/** Documents that are read in one go. */
const READ_AT_ONCE = 500;

/**
 * Reads everything, one conversation after another. There is no one moment without transactions: where nodes go on
 * meanwhile, each conversation comes up to an event of its own. Accounts come after them, so that whoever wrote is there.
 */
export function mongoSource(db: Database, epoch: string, close: () => Promise<void>): TransferSource {
  return {
    store: 'MongoDB',
    epoch,
    counts: () => answered(() => counts(db)),
    records: () => records(db),
    async giveUpEpoch() {
      const value = randomUUID();
      await answered(() => db.meta.updateOne({ _id: 'epoch' }, { $set: { value } }));
    },
    close,
  };
}

/** Sessions that are over and events of deleted conversations are among them: they are for whoever watches the export. */
async function counts(db: Database): Promise<TransferCounts> {
  const [account, login, event, attempt] = await Promise.all([
    db.db.collection('accounts').countDocuments({ revision: 1 }),
    db.db.collection('sessions').estimatedDocumentCount(),
    db.events.estimatedDocumentCount(),
    db.tasks.countDocuments({ open_user_id: { $ne: null } }),
  ]);
  return { account, login, event, attempt };
}

async function* records(db: Database): AsyncGenerator<TransferRecord> {
  yield* events(db);
  yield* accountRecords(db);
  yield* loginRecords(db);
  yield* attempts(db);
}

/** By the index of seqs, so that each log comes from its beginning; of a deleted one the last event alone. */
async function* events(db: Database): AsyncGenerator<EventRecord> {
  const deletions = await answered(() => db.deletions.find().toArray());
  const deleted = new Set(deletions.map(({ _id }) => _id));
  let last = { conversation_id: '', seq: 0 };
  let lacking: EventDocument | null = null;
  const inOrder = db.events.find().sort({ conversation_id: 1, seq: 1 });
  for await (const document of inOrder.batchSize(READ_AT_ONCE)) {
    const { conversation_id, seq } = document;
    if (lacking && lacking.conversation_id !== conversation_id) throw new LogHasHole(lacking);
    const isNext = seq === (conversation_id === last.conversation_id ? last.seq : 0) + 1;
    const record = toRecord(document);
    if (record.event.type !== 'conversation_deleted' && (!isNext || deleted.has(conversation_id))) {
      lacking = deleted.has(conversation_id) ? null : document; // the sweeper was there before us: its last event follows
      continue;
    }
    lacking = null;
    last = { conversation_id, seq };
    yield record;
  }
  if (lacking) throw new LogHasHole(lacking);
}

/** A conversation lacks events, and was not deleted: the database is damaged. */
class LogHasHole extends Error {
  constructor({ conversation_id, seq }: EventDocument) {
    super(`Conversation ${conversation_id} has no event ${seq - 1} in the database, and was not deleted.`);
    this.name = 'LogHasHole';
  }
}

function toRecord(document: EventDocument): EventRecord {
  return {
    kind: 'event',
    event: toEvent(document),
    sender: document.sender === '' ? null : document.sender,
    client_msg_id: given(document.client_msg_id),
    ends_task: given(document.ends_task),
  };
}

/** What a unique key holds, or null where its event has no value for it. */
function given(key: string): string | null {
  return key.startsWith('#') ? null : key;
}

async function* attempts(db: Database): AsyncGenerator<AttemptRecord> {
  const open = db.tasks.find({ open_user_id: { $ne: null } }, { projection: { fields: 0 } });
  for await (const tasks of inBatches(open, READ_AT_ONCE)) {
    const conversations = [...new Set(tasks.map(({ conversation_id }) => conversation_id))];
    const wanted = { conversation_id: { $in: conversations }, task_id: { $in: tasks.map(({ _id }) => _id) } };
    const claims = await answered(() => db.claims.find(wanted).toArray());
    for (const { _id: task_id, first_claim } of tasks) {
      const attempt = lastAttempt(task_id, first_claim !== null, claims);
      if (attempt > 0) yield { kind: 'attempt', task_id, attempt };
    }
  }
}
