import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConversationEvent, EndedTask } from '@tertulia/protocol';
import { newConversationId } from '../../src/ids.ts';
import type { NewEvent, Store } from '../../src/store/store.ts';
import { LogBuilder, ME, created_at } from './log-builder.ts';

const OTHER = 'user-2';

/** What every store must do. `open` opens the same database again after `close`. */
export function storeContract(
  name: string,
  begin: () => Promise<{ open(): Promise<Store>; remove(): Promise<void> }>,
): void {
  describe(`the store contract on ${name}`, () => {
    let database: Awaited<ReturnType<typeof begin>>;
    let store: Store;
    let log: LogBuilder;
    beforeEach(async () => {
      database = await begin();
      store = await database.open();
      log = new LogBuilder();
      await append(log.created());
    });
    afterEach(async () => {
      await store.close();
      await database.remove();
    });

    async function append(given: NewEvent) {
      const result = await store.log.append(given);
      if (result.status === 'appended') log.seq = given.event.seq;
      return result;
    }

    test('an event is read back exactly as it was appended', async () => {
      const message = log.message('NUL \u0000, emoji 👩‍👩‍👧, \u2028 and "quotes" \\', {
        metadata: { $where: 1, 'a.b': [null, { x: 0.1 }] },
      });
      const given = log.event('message_created', { message });
      expect(await append(given)).toEqual({ status: 'appended' });
      expect(await store.log.read(log.id, 1, 10)).toEqual([given.event]);
      expect((await store.conversations.events(ME, log.id, 1, 10, 1_000_000))?.events).toEqual([given.event]);
      expect(await store.conversations.messages(ME, log.id, 100, 10)).toEqual([message]);
    });

    test('a seq is given once: of many appends at the same one, exactly one stands', async () => {
      const rivals = Array.from({ length: 20 }, (_, index) => log.question(`rival ${index}`).given);
      const results = await Promise.all(rivals.map((given) => store.log.append(given)));
      expect(results.filter(({ status }) => status === 'appended')).toHaveLength(1);
      expect(results.filter(({ status }) => status === 'seq_taken')).toHaveLength(19);
      expect(await store.log.read(log.id, 1, 100)).toHaveLength(1);
    });

    test('a client_msg_id is given once per sender: its repeat finds the first event, whatever its seq', async () => {
      const first = log.question('once', { client_msg_id: 'm-1' });
      await append(first.given);
      const repeat = log.question('twice', { client_msg_id: 'm-1' });
      expect(await append(repeat.given)).toEqual({ status: 'repeated', first: first.given.event });
      const ofAnother = log.question('mine', { client_msg_id: 'm-1', sender: OTHER });
      expect(await append(ofAnother.given)).toEqual({ status: 'appended' });
    });

    test('a task ends once: of many ends, exactly one stands, and the others find it', async () => {
      const { task, given } = log.question('?');
      await append(given);
      const ends = Array.from({ length: 10 }, (_, index) => log.answer(task.id, `answer ${index}`));
      const results = await Promise.all(ends.map((end) => store.log.append(end)));
      const winner = results.findIndex(({ status }) => status === 'appended');
      log.seq += 1;
      expect(results.filter(({ status }) => status === 'appended')).toHaveLength(1);
      const late = log.answer(task.id, 'late');
      expect(await append(late)).toEqual({ status: 'task_ended', end: ends[winner]?.event });
      expect(await store.conversations.task(ME, task.id)).toMatchObject({ status: 'completed', attempt: 1 });
    });

    test('a task that ends in the event that starts it cannot be ended again', async () => {
      const { task, message } = log.question('?');
      const end: EndedTask = { id: task.id, attempt: 0, status: 'completed', error: null };
      await append(log.event('message_created', { message, task, ends_task: end }, { ends_task: task.id }));
      expect((await append(log.answer(task.id, 'too late'))).status).toBe('task_ended');
      expect(await store.tasks.due(10)).toEqual([]);
    });

    test('the view is what the log says', async () => {
      const { task, given } = log.question('?');
      await append(given);
      const member = { user_id: OTHER, username: '', role: 'member', joined_at: created_at } as const;
      await append(log.event('member_joined', { member }));
      await append(log.event('conversation_updated', { title: 'renamed' }));
      const view = await store.log.view(log.id);
      expect(view).toMatchObject({ id: log.id, seq: 4, title: 'renamed', is_active: true, is_deleted: false });
      expect([...(view?.members.keys() ?? [])].toSorted()).toEqual([ME, OTHER]);
      expect(view?.open_tasks.get(task.id)).toEqual({ id: task.id, user_id: ME, assistant: 'echo' });
      await append(log.answer(task.id, '!'));
      expect((await store.log.view(log.id))?.open_tasks.size).toBe(0);
      expect(await store.log.view(newConversationId())).toBeNull();
    });

    test('a conversation may begin inactive', async () => {
      const other = new LogBuilder();
      const given = other.created();
      const data = { ...given.event.data, is_active: false };
      await store.log.append({ ...given, event: { ...given.event, data } as ConversationEvent });
      expect((await store.log.view(other.id))?.is_active).toBe(false);
      expect((await store.conversations.get(ME, other.id))?.is_active).toBe(false);
    });

    test('strangers and ex-members read nothing; missing and foreign look the same', async () => {
      const { task, given } = log.question('secret');
      await append(given);
      const member = { user_id: OTHER, username: '', role: 'member', joined_at: created_at } as const;
      await append(log.event('member_joined', { member }));
      expect(await store.conversations.get(OTHER, log.id)).not.toBeNull();
      await append(log.event('member_left', { user_id: OTHER, username: '' }));
      for (const [user, id] of [
        [OTHER, log.id],
        ['nobody', log.id],
        [ME, newConversationId()],
      ] as const) {
        expect(await store.conversations.get(user, id)).toBeNull();
        expect(await store.conversations.head(user, id)).toBeNull();
        expect(await store.conversations.events(user, id, 0, 10, 1_000)).toBeNull();
        expect(await store.conversations.messages(user, id, 10, 10)).toBeNull();
        expect(await store.conversations.members(user, id)).toBeNull();
      }
      expect(await store.conversations.task(OTHER, task.id)).toBeNull();
      expect(await store.conversations.tasks(OTHER, {}, { skip: 0, limit: 10 })).toEqual({ tasks: [], total: 0 });
    });

    test('pages of events are bounded by number and by bytes, have at least one, and say whether they are complete', async () => {
      for (let index = 0; index < 5; index += 1)
        await append(log.event('message_created', { message: log.message('x'.repeat(1_000)) }));
      const page = (after: number, limit: number, bytes: number) =>
        store.conversations.events(ME, log.id, after, limit, bytes);
      expect(await page(0, 3, 1_000_000)).toMatchObject({
        last_seq: 6,
        complete: false,
        events: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
      });
      expect((await page(1, 100, 1))?.events).toHaveLength(1);
      expect((await page(1, 100, 4_000))?.events.length).toBeLessThan(5);
      expect(await page(5, 100, 1_000_000)).toMatchObject({ complete: true, events: [{ seq: 6 }] });
      expect(await page(6, 100, 1_000_000)).toMatchObject({ complete: true, events: [] });
      expect(await page(7, 100, 1_000_000)).toMatchObject({ reset: true, last_seq: 6, events: [] });
    });

    test('tasks are due in order, one per conversation, and not while a lease stands', async () => {
      const first = log.question('first');
      await append(first.given);
      const second = log.question('second');
      await append(second.given);
      const ids = async () => (await store.tasks.due(10)).map(({ task, attempt }) => [task.id, attempt]);
      expect(await ids()).toEqual([[first.task.id, 1]]);
      const claim = { task_id: first.task.id, attempt: 1, owner: 'a' };
      expect(await store.tasks.claim(claim)).toBe(true);
      expect(await store.tasks.claim({ ...claim, owner: 'b' })).toBe(false);
      expect(await store.tasks.claim({ ...claim, owner: 'b', attempt: 2 })).toBe(false);
      expect(await ids()).toEqual([]);
      expect(await store.tasks.renew('a', [first.task.id, 'another'])).toEqual([first.task.id]);
      expect(await store.tasks.renew('b', [first.task.id])).toEqual([]);
      await store.tasks.release(claim);
      expect(await ids()).toEqual([[first.task.id, 2]]);
      expect(await store.tasks.claim({ ...claim, attempt: 2 })).toBe(true);
      await append(log.answer(first.task.id, 'done', 2));
      expect(await ids()).toEqual([[second.task.id, 1]]);
      expect(await store.tasks.claim({ ...claim, attempt: 3 })).toBe(false);
    });

    test('an append can claim the task that it stores', async () => {
      const { task, given } = log.question('?');
      await append({ ...given, claim: { task_id: task.id, attempt: 1, owner: 'a' } });
      expect(await store.tasks.renew('a', [task.id])).toEqual([task.id]);
      expect((await store.conversations.task(ME, task.id))?.status).toBe('in_progress');
    });

    test('the head of a log says where it ends and whether a task is open', async () => {
      const { task, given } = log.question('?');
      expect(await store.conversations.head(ME, log.id)).toEqual({ last_seq: 1, is_answering: false });
      await append(given);
      expect(await store.conversations.head(ME, log.id)).toEqual({ last_seq: 2, is_answering: true });
      await append(log.answer(task.id, '!'));
      expect(await store.conversations.head(ME, log.id)).toEqual({ last_seq: 3, is_answering: false });
    });

    test('open tasks of a user are told with their conversation, and whether somebody answers them', async () => {
      const first = log.question('first');
      await append({ ...first.given, claim: { task_id: first.task.id, attempt: 1, owner: 'a' } });
      const second = log.question('second');
      await append(second.given);
      const open = (task: { id: string }, is_claimed: boolean) => ({
        task_id: task.id,
        conversation_id: log.id,
        is_claimed,
      });
      expect(await store.tasks.open(ME)).toEqual([open(first.task, true), open(second.task, false)]);
      await append(log.answer(first.task.id, 'done'));
      expect(await store.tasks.open(ME)).toEqual([open(second.task, false)]);
      expect(await store.tasks.open(OTHER)).toEqual([]);
    });

    test('the last seqs of many logs are read at once', async () => {
      const other = new LogBuilder();
      await store.log.append(other.created());
      await append(log.question('?').given);
      expect(await store.log.lastSeqs([log.id, other.id, newConversationId()])).toEqual(
        new Map([
          [log.id, 2],
          [other.id, 1],
        ]),
      );
    });

    test('of many claims of one attempt exactly one wins', async () => {
      const { task, given } = log.question('?');
      await append(given);
      const claims = Array.from({ length: 10 }, () =>
        store.tasks.claim({ task_id: task.id, attempt: 1, owner: randomUUID() }),
      );
      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
    });

    test('checkpoints make the text so far of the last attempt, and go with the end', async () => {
      const { task, given } = log.question('?');
      await append(given);
      await store.tasks.claim({ task_id: task.id, attempt: 1, owner: 'a' });
      await store.tasks.checkpoint(task.id, 1, 0, 'Hello, ');
      await store.tasks.checkpoint(task.id, 1, 7, 'wor');
      await store.tasks.checkpoint(task.id, 1, 0, 'Hello, ');
      const running = async () => (await store.conversations.events(ME, log.id, 0, 1, 1))?.running;
      expect(await running()).toEqual([{ task_id: task.id, assistant: 'echo', attempt: 1, text: 'Hello, wor' }]);
      await store.tasks.releaseOthers('b');
      await store.tasks.claim({ task_id: task.id, attempt: 2, owner: 'b' });
      expect(await running()).toEqual([{ task_id: task.id, assistant: 'echo', attempt: 2, text: '' }]);
      await append(log.answer(task.id, 'done', 2));
      expect(await running()).toEqual([]);
      await store.tasks.checkpoint(task.id, 2, 0, 'late');
      expect(await store.tasks.progress(task.id)).toMatchObject({ task_id: task.id, attempt: 0, text: '' });
    });

    test('an exchange is the question and its answers, and a context the newest messages up to a seq', async () => {
      const { task, message, given } = log.question('question');
      await append(given);
      await append(log.event('message_created', { message: log.message('between') }));
      await append(log.answer(task.id, 'answer'));
      expect((await store.tasks.exchange(task.id)).map(({ content }) => content)).toEqual(['question', 'answer']);
      const context = await store.tasks.context(log.id, 3, 2);
      expect(context.title).toBe('a room');
      expect(context.messages.map(({ content }) => content)).toEqual(['question', 'between']);
      expect(context.messages[0]).toEqual(message);
    });

    test('a deleted task is gone, and its text with it', async () => {
      const { task, given } = log.question('forget this');
      await append(given);
      await append(log.event('task_deleted', { task_id: task.id }, { ends_task: task.id }));
      expect(await store.conversations.task(ME, task.id)).toBeNull();
      expect(await store.conversations.messages(ME, log.id, 100, 10)).toEqual([]);
      expect(JSON.stringify(await store.log.read(log.id, 0, 10))).not.toContain('forget this');
      expect((await store.log.read(log.id, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(await store.tasks.due(10)).toEqual([]);
    });

    test('a deleted conversation is unreachable, and its open tasks are not due', async () => {
      await append(log.question('?').given);
      await append(log.event('conversation_deleted', {}));
      expect(await store.conversations.get(ME, log.id)).toBeNull();
      expect(
        (await store.conversations.list(ME, { skip: 0, limit: 10, sort_by: 'updated_at', sort_order: -1 })).total,
      ).toBe(0);
      expect(await store.tasks.due(10)).toEqual([]);
      expect((await store.log.view(log.id))?.is_deleted).toBe(true);
    });

    test('everything acknowledged is there after the database is opened again, under the same epoch', async () => {
      const { given } = log.question('remember');
      await append(given);
      const { epoch } = store;
      await store.close();
      store = await database.open();
      expect(store.epoch).toBe(epoch);
      expect(await store.log.read(log.id, 1, 10)).toEqual([given.event]);
    });

    test('lists are sorted, paged and counted', async () => {
      for (const title of ['b', 'c', 'a']) {
        const other = new LogBuilder();
        const given = other.created();
        await store.log.append({
          ...given,
          event: { ...given.event, data: { ...given.event.data, title } } as ConversationEvent,
        });
      }
      const list = await store.conversations.list(ME, { skip: 1, limit: 2, sort_by: 'title', sort_order: 1 });
      expect(list.total).toBe(4);
      expect(list.conversations.map(({ title }) => title)).toEqual(['a room', 'b']);
    });
  });
}
