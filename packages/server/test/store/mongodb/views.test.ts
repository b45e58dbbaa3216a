import fc from 'fast-check';
import { pino } from 'pino';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { append as appendTo } from '../../../src/store/mongodb/append.ts';
import { applyEvent } from '../../../src/store/mongodb/apply-event.ts';
import { DatabaseClock } from '../../../src/store/mongodb/clock.ts';
import { collectionsOf, type Database } from '../../../src/store/mongodb/collections.ts';
import { toDocument, toStored } from '../../../src/store/mongodb/event-documents.ts';
import { outlineOf } from '../../../src/store/fold-event.ts';
import { MongoStore } from '../../../src/store/mongodb/mongo-store.ts';
import type { NewEvent } from '../../../src/store/store.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../../support/mongodb-server.ts';
import { LogBuilder, ME, created_at } from '../log-builder.ts';

const OTHER = 'user-2';
const ALL = { skip: 0, limit: 10, sort_by: 'created_at', sort_order: 1 } as const;
const member = { user_id: OTHER, username: '', role: 'member', joined_at: created_at } as const;

describeWith('ferretdb', 'what a node leaves behind that dies between an event and its views', () => {
  let server: MongodbServer;
  let client: MongoClient;
  let db: Database;
  let store: MongoStore;
  let log: LogBuilder;
  let logged: string[];
  beforeAll(async () => void (server = await startMongodb()));
  afterAll(() => server.stop());
  beforeEach(async () => {
    const url = server.newDatabase();
    logged = [];
    const warnings = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
    store = await MongoStore.open({ url, log: warnings });
    client = await MongoClient.connect(url);
    const clock = new DatabaseClock(client.db());
    await clock.measure();
    db = collectionsOf(client.db(), clock);
    log = new LogBuilder();
    await append(log.created());
  });
  afterEach(async () => {
    await store.close();
    await client.close();
  });

  async function append(given: NewEvent) {
    expect(await store.log.append(given)).toEqual({ status: 'appended' });
    log.seq = given.event.seq;
  }

  /** Stores an event as a node does that dies right after it. */
  async function insertOnly(given: NewEvent) {
    const past = { now: () => db.clock.now() - 30_000 } as DatabaseClock;
    await db.events.insertOne(toDocument(given, past));
    log.seq = given.event.seq;
  }

  /** Stores an event of a while ago, and its views. */
  async function insertAndApply(given: NewEvent) {
    await insertOnly(given);
    const document = await db.events.findOne({ conversation_id: log.id, seq: given.event.seq });
    if (document) await applyEvent(db, toStored(document));
  }

  /** Sweeps as if the last time had been a minute ago. */
  async function sweep() {
    const value = ObjectId.createFromTime(Date.now() / 1000 - 60).toHexString();
    await db.meta.updateOne({ _id: 'swept' }, { $set: { value } }, { upsert: true });
    return store.sweep(100);
  }

  test('a question is read at once; it is due once the sweeper came by', async () => {
    const { task, message, given } = log.question('?');
    await insertOnly(given);
    expect(await store.conversations.head(ME, log.id)).toEqual({ last_seq: 2, is_answering: true });
    expect((await store.conversations.events(ME, log.id, 0, 10, 1_000_000))?.events[1]).toEqual(given.event);
    expect(await store.conversations.messages(ME, log.id, 10, 10)).toEqual([message]);
    expect((await store.conversations.list(ME, ALL)).conversations[0]?.last_seq).toBe(2);
    expect((await store.log.view(log.id))?.open_tasks.get(task.id)).toEqual(outlineOf(task));
    expect(await store.tasks.due(10)).toEqual([]);
    expect(await sweep()).toBe(1);
    expect((await store.tasks.due(10)).map((due) => due.task)).toEqual([task]);
    expect(await sweep()).toBe(0);
  });

  test('an answer ends its task for whoever reads or claims it', async () => {
    const { task, given } = log.question('?');
    await append(given);
    await insertOnly(log.answer(task.id, '!'));
    expect(await store.tasks.claim({ task_id: task.id, attempt: 1, owner: 'a' })).toBe(false);
    expect(await store.conversations.task(ME, task.id)).toMatchObject({ status: 'completed' });
    expect((await store.tasks.exchange(task.id)).map(({ content }) => content)).toEqual(['?', '!']);
  });

  test('who was removed reads nothing from that event on', async () => {
    await append(log.event('member_joined', { member }));
    const { task, given } = log.question('not for those who were removed');
    await append(given);
    const tasksOf = async (userId: string) =>
      (await store.conversations.tasks(userId, {}, ALL)).tasks.map(({ id }) => id);
    expect([await tasksOf(ME), await tasksOf(OTHER)]).toEqual([[task.id], [task.id]]);
    await insertOnly(log.event('member_left', { user_id: OTHER, username: '' }));
    expect([await tasksOf(ME), await tasksOf(OTHER)]).toEqual([[task.id], []]);
    expect(await store.conversations.task(OTHER, task.id)).toBeNull();
    expect(await store.conversations.get(OTHER, log.id)).toBeNull();
    expect(await store.conversations.events(OTHER, log.id, 0, 10, 1_000)).toBeNull();
    expect((await store.conversations.list(OTHER, ALL)).conversations).toEqual([]);
    await sweep();
    expect((await store.conversations.list(OTHER, ALL)).total).toBe(0);
  });

  test('who was added reads all, and has it in the list once the sweeper came by', async () => {
    await insertOnly(log.event('member_joined', { member }));
    expect(await store.conversations.get(OTHER, log.id)).toMatchObject({ last_seq: 2 });
    await sweep();
    expect((await store.conversations.list(OTHER, ALL)).total).toBe(1);
  });

  test('a conversation of which only the first event was stored is there', async () => {
    log = new LogBuilder();
    await insertOnly(log.created());
    expect(await store.conversations.get(ME, log.id)).toMatchObject({ title: 'a room', last_seq: 1 });
    await append(log.question('?').given);
    expect((await store.conversations.list(ME, ALL)).total).toBe(2);
  });

  test('a deleted task is blanked by the sweeper, a deleted conversation swept', async () => {
    const { task, given } = log.question('forget this');
    await append(given);
    await insertOnly(log.event('task_deleted', { task_id: task.id }, { ends_task: task.id }));
    await sweep();
    expect(JSON.stringify(await store.log.read(log.id, 0, 10))).not.toContain('forget');
    expect(await store.conversations.task(ME, task.id)).toBeNull();
    await insertOnly(log.event('conversation_deleted', {}));
    expect(await store.conversations.get(ME, log.id)).toBeNull();
    await sweep();
    expect((await store.log.read(log.id, 0, 10)).map(({ seq }) => seq)).toEqual([4]);
    expect(await db.tasks.countDocuments()).toBe(0);
  });

  test('what open tasks say does not make their conversation larger, which every reader reads', async () => {
    const { task, message } = log.question('?');
    const said = { ...task, description: 'x'.repeat(200_000), metadata: { notes: 'x'.repeat(10_000) } };
    await append(log.event('message_created', { message, task: said }));
    expect((await store.tasks.due(10)).map((due) => due.task)).toEqual([said]);
    expect(JSON.stringify(await db.conversations.findOne({ _id: log.id })).length).toBeLessThan(2_000);
    await append(log.event('task_updated', { task_id: task.id, fields: { description: 'y'.repeat(200_000) } }));
    expect(JSON.stringify(await db.conversations.findOne({ _id: log.id })).length).toBeLessThan(2_000);
  });

  test('what cannot be mended keeps nothing else from being mended', async () => {
    await insertOnly(log.question('?').given);
    await db.conversations.updateOne(
      { _id: log.id },
      { $set: { open_tasks: { broken: { seq: 1, claim: null, task: '{' } } } },
    );
    await insertOnly(log.event('conversation_updated', { title: 'needs its whole document' }));
    log = new LogBuilder();
    await append(log.created());
    const { task, given } = log.question('whole');
    await insertOnly(given);
    await sweep();
    expect((await store.tasks.due(10)).map((due) => due.task.id)).toContain(task.id);
    expect(logged.filter((line) => line.includes('cannot be mended'))).not.toEqual([]);
    expect(await store.sweep(100)).toBe(0);
  });

  test('a task is mended that lacks what its conversation has', async () => {
    const first = log.question('first');
    await insertAndApply(first.given);
    const other = log.question('other');
    await insertAndApply(other.given);
    const [started] = await db.tasks.find({ _id: first.task.id }).toArray();
    if (!started) throw new Error('there is no task');
    await db.tasks.deleteOne({ _id: first.task.id });
    expect([await sweep(), await sweep()]).toEqual([1, 0]);
    expect((await store.tasks.due(10)).map(({ task }) => task.id)).toEqual([first.task.id]);
    await insertAndApply(log.event('task_updated', { task_id: first.task.id, fields: { priority: 'high' } }));
    await db.tasks.replaceOne({ _id: first.task.id }, started);
    expect([await sweep(), await sweep()]).toEqual([1, 0]);
    expect(await store.conversations.task(ME, first.task.id)).toMatchObject({ priority: 'high', status: 'pending' });
    await insertAndApply(log.answer(first.task.id, '!'));
    await db.tasks.replaceOne({ _id: first.task.id }, started);
    expect([await sweep(), await sweep()]).toEqual([2, 0]);
    expect((await store.tasks.due(10)).map(({ task }) => task.id)).toEqual([other.task.id]);
  });

  test('what reaches a deleted conversation late leaves nothing behind', async () => {
    const { given } = log.question('late');
    await insertOnly(given);
    const late = await db.events.find({ conversation_id: log.id, seq: 2 }).toArray();
    await append(log.event('conversation_deleted', {}));
    await store.sweep(100);
    expect(await Promise.all(late.map((document) => applyEvent(db, toStored(document))))).toEqual([false]);
    await db.events.insertOne(toDocument(given, { now: () => db.clock.now() - 30_000 } as DatabaseClock));
    await sweep();
    expect((await store.log.read(log.id, 0, 10)).map(({ seq }) => seq)).toEqual([3]);
    expect(await store.tasks.due(10)).toEqual([]);
    expect(await store.tasks.open(ME)).toEqual([]);
    expect(await db.tasks.countDocuments()).toBe(0);
  });

  test('an older snapshot written over a newer one does no harm', async () => {
    const older = await db.conversations.findOne({ _id: log.id });
    if (!older) throw new Error('there is no conversation');
    const { task, given } = log.question('?');
    await append(given);
    await db.conversations.replaceOne({ _id: log.id }, older);
    expect(await store.conversations.head(ME, log.id)).toEqual({ last_seq: 2, is_answering: true });
    await append(log.answer(task.id, '!'));
    expect(await db.conversations.findOne({ _id: log.id })).toMatchObject({ seq: 3, open_tasks: {} });
  });

  test('a conversation that is ahead of its log, as in a copy made while people wrote, is read from the log', async () => {
    const { task, given } = log.question('?');
    await append(given);
    await append(log.answer(task.id, 'not in the copy'));
    await db.events.deleteOne({ conversation_id: log.id, seq: 3 });
    log.seq = 2;
    expect(await store.conversations.head(ME, log.id)).toEqual({ last_seq: 2, is_answering: true });
    expect((await store.log.view(log.id))?.open_tasks.get(task.id)).toEqual(outlineOf(task));
    await append(log.answer(task.id, '!'));
    expect(await db.conversations.findOne({ _id: log.id })).toMatchObject({ seq: 3, open_tasks: {} });
  });

  test('who is refused by what no majority has tries again: it may be taken back', async () => {
    const [mine, rival] = [log.question('mine').given, log.question('rival').given];
    await insertOnly(rival);
    // No server at hand takes a write back. So the first look finds nothing, and then the rival is gone.
    const takeBack = () => db.events.deleteOne({ conversation_id: log.id, seq: 2 }).then(() => []);
    let looks = 0;
    const find: typeof db.events.find = (filter = {}) =>
      (looks += 1) === 1 ? Object.assign(db.events.find(filter), { toArray: takeBack }) : db.events.find(filter);
    const events = Object.assign(Object.create(db.events) as typeof db.events, { find });
    expect(await appendTo({ ...db, events }, pino({ level: 'warn' }), mine)).toEqual({ status: 'appended' });
    expect(await store.log.read(log.id, 1, 10)).toEqual([mine.event]);
  });

  test('claims and text so far go once their task has ended, also what came late', async () => {
    const { task, given } = log.question('?');
    await append(given);
    await store.tasks.claim({ task_id: task.id, attempt: 1, owner: 'a' });
    await store.tasks.checkpoint(task.id, 1, 0, 'so far');
    await insertOnly(log.answer(task.id, 'so far and on'));
    await store.tasks.checkpoint(task.id, 1, 6, ' and on');
    await sweep();
    expect(await db.claims.countDocuments()).toBe(0);
    expect(await db.checkpoints.countDocuments()).toBe(0);
  });

  test('the views are what the log says, whatever the order in which they learn it', async () => {
    const first = log.question('first');
    await append({ ...first.given, claim: { task_id: first.task.id, attempt: 1, owner: 'a' } });
    const second = log.question('second');
    await append(second.given);
    await append(log.event('task_updated', { task_id: second.task.id, fields: { priority: 'high', title: 'one' } }));
    await append(log.event('task_updated', { task_id: second.task.id, fields: { title: 'two' } }));
    await append(log.answer(first.task.id, '!'));
    await append(log.event('member_joined', { member }));
    await append(log.event('conversation_updated', { title: 'renamed', description: 'why' }));
    await append(log.answer(second.task.id, '!'));
    const third = log.question('third');
    await append(third.given);
    const views = async () => [
      await db.conversations.find().toArray(),
      await db.tasks.find().sort({ seq: 1 }).toArray(),
    ];
    const wanted = await views();
    const events = (await db.events.find().sort({ seq: 1 }).toArray()).map(toStored);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(events, { minLength: events.length }), async (shuffled) => {
        await db.conversations.deleteMany({});
        await db.tasks.deleteMany({});
        for (const stored of shuffled) await applyEvent(db, stored);
        expect(await views()).toEqual(wanted);
      }),
      { numRuns: 12 },
    );
  });
});
