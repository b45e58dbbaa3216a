import { describe, expect, test } from 'vitest';
import { eachOnNewStore, type BeginDatabase } from './contract-fixture.ts';
import { LogBuilder, ME } from './log-builder.ts';

/** What every store must do with what is deleted. */
export function deletionContract(name: string, begin: BeginDatabase): void {
  describe(`the contract of deletion on ${name}`, () => {
    const on = eachOnNewStore(begin);
    const seqs = async () => (await on.store.log.read(on.log.id, 0, 100)).map(({ seq }) => seq);
    const sweep = async () => {
      while ((await on.store.sweep(2)) > 0);
    };

    test('a task that was deleted after its end is gone with all that was written, and is deleted once', async () => {
      const { task, given } = on.log.question('forget the question');
      const secret = { ...task, title: 'forget the title', tags: ['forget'], metadata: { forget: 'this' } };
      await on.append({
        ...given,
        event: { ...given.event, data: { ...given.event.data, task: secret } } as typeof given.event,
      });
      await on.append(on.log.event('task_updated', { task_id: task.id, fields: { category: 'forget the category' } }));
      await on.append(on.log.answer(task.id, 'forget the answer'));
      await on.append(on.log.event('message_created', { message: on.log.message('keep') }));
      expect(await on.append(on.log.event('task_deleted', { task_id: task.id }))).toEqual({ status: 'appended' });
      expect(JSON.stringify(await on.store.log.read(on.log.id, 0, 100))).not.toContain('forget');
      expect((await on.store.conversations.messages(ME, on.log.id, 100, 10))?.map(({ content }) => content)).toEqual([
        'keep',
      ]);
      expect(await on.store.tasks.exchange(task.id)).toEqual([]);
      expect(await on.store.tasks.progress(task.id)).toBeNull();
      expect((await on.store.conversations.tasks(ME, {}, { skip: 0, limit: 10 })).total).toBe(0);
      expect((await on.store.conversations.get(ME, on.log.id))?.task_ids).toEqual([]);
      expect(await on.append(on.log.event('task_deleted', { task_id: task.id }))).toEqual({ status: 'task_missing' });
    });

    test('the title that a deleted question gave its conversation is gone from the log', async () => {
      const log = new LogBuilder();
      const { task, message } = log.question('forget the plan');
      const created = log.created();
      const titled = { ...created.event.data, title: 'forget the plan', message, task };
      await on.store.log.append({ ...created, event: { ...created.event, data: titled } as typeof created.event });
      log.seq = 1;
      await on.store.log.append(log.event('conversation_updated', { title: '…' }));
      log.seq = 2;
      const deletion = log.event('task_deleted', { task_id: task.id }, { ends_task: task.id });
      expect(await on.store.log.append(deletion)).toEqual({ status: 'appended' });
      expect(JSON.stringify(await on.store.log.read(log.id, 0, 100))).not.toContain('forget');
      expect((await on.store.conversations.get(ME, log.id))?.title).toBe('…');
    });

    test('nothing more is said to a task that was deleted', async () => {
      const { task, given } = on.log.question('?');
      await on.append(given);
      await on.append(on.log.event('task_deleted', { task_id: task.id }, { ends_task: task.id }));
      const said = on.log.message('working on it', { role: 'assistant', task_id: task.id });
      expect(await on.append(on.log.event('message_created', { message: said }))).toEqual({ status: 'task_missing' });
      expect(await on.append(on.log.answer(task.id, 'late'))).toEqual({ status: 'task_missing' });
    });

    test('of a deleted conversation the sweeper leaves the last event only', async () => {
      const { given } = on.log.question('?');
      await on.append(given);
      for (let index = 0; index < 5; index += 1)
        await on.append(on.log.event('message_created', { message: on.log.message('x') }));
      await on.append(on.log.event('conversation_deleted', {}));
      await sweep();
      expect(await seqs()).toEqual([8]);
      expect(await on.store.log.lastSeq(on.log.id)).toBe(8);
      expect(await on.store.log.view(on.log.id)).toMatchObject({ seq: 8, is_deleted: true, title: '' });
    });

    test('what rests on an older view stores nothing where the sweeper made room', async () => {
      await on.append(on.log.question('?').given);
      const late = on.log.event('message_created', { message: on.log.message('late') });
      await on.append(on.log.event('message_created', { message: on.log.message('in time') }));
      await on.append(on.log.event('conversation_deleted', {}));
      await sweep();
      expect(await on.store.log.append(late)).toEqual({ status: 'seq_taken' });
      await sweep();
      expect(await seqs()).toEqual([4]);
    });
  });
}
