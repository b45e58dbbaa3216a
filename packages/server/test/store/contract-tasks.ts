import { outlineOf } from '../../src/store/fold-event.ts';
import { describe, expect, test } from 'vitest';
import type { TaskFilter } from '../../src/store/store.ts';
import { eachOnNewStore, type BeginDatabase } from './contract-fixture.ts';
import { ME, actor, created_at } from './log-builder.ts';

/** What every store must do with tasks, beyond the contract of its log. */
export function taskContract(name: string, begin: BeginDatabase): void {
  describe(`the contract of tasks on ${name}`, () => {
    const on = eachOnNewStore(begin);

    test('changed fields stand everywhere: in the task, in the view and for whoever answers it', async () => {
      const { task, message, given } = on.log.question('?');
      await on.append(given);
      const fields = {
        priority: 'urgent',
        category: 'letters',
        tags: ['a', 'b'],
        metadata: { 'a.b': '\u0000' },
      } as const;
      const changed = { ...fields, tags: [...fields.tags] };
      await on.append(
        on.log.event('task_updated', { task_id: task.id, fields: { ...changed, status: 'in_progress' } }),
      );
      const stored = await on.store.conversations.task(ME, task.id);
      expect(stored).toMatchObject({
        ...changed,
        status: 'in_progress',
        user_message: message,
        completion_percentage: 0,
      });
      expect((await on.store.log.view(on.log.id))?.open_tasks.get(task.id)).toEqual(outlineOf(task));
      expect((await on.store.tasks.due(10)).map((due) => due.task)).toEqual([{ ...task, ...changed }]);
      await on.append(on.log.answer(task.id, '!', 1));
      expect(await on.store.conversations.task(ME, task.id)).toMatchObject({ ...changed, status: 'completed' });
    });

    test('tasks are listed by conversation, status, priority and category', async () => {
      const waiting = on.log.question('waiting');
      await on.append(waiting.given);
      const claimed = on.log.question('claimed');
      await on.append({ ...claimed.given, claim: { task_id: claimed.task.id, attempt: 1, owner: 'a' } });
      const done = on.log.question('done');
      await on.append(done.given);
      await on.append(
        on.log.event('task_updated', { task_id: done.task.id, fields: { priority: 'high', category: 'c' } }),
      );
      await on.append(on.log.answer(done.task.id, '!'));
      const list = async (filter: TaskFilter, skip = 0, limit = 10) => {
        const { tasks, total } = await on.store.conversations.tasks(ME, filter, { skip, limit });
        return { total, messages: tasks.map(({ user_message }) => user_message.content).toSorted() };
      };
      expect(await list({})).toEqual({ total: 3, messages: ['claimed', 'done', 'waiting'] });
      expect(await list({ conversation_id: on.log.id })).toMatchObject({ total: 3 });
      expect(await list({ conversation_id: 'another' })).toEqual({ total: 0, messages: [] });
      expect(await list({ status: 'pending' })).toEqual({ total: 1, messages: ['waiting'] });
      expect(await list({ status: 'in_progress' })).toEqual({ total: 1, messages: ['claimed'] });
      expect(await list({ status: 'completed' })).toEqual({ total: 1, messages: ['done'] });
      expect(await list({ status: 'failed' })).toEqual({ total: 0, messages: [] });
      expect(await list({ priority: 'high' })).toEqual({ total: 1, messages: ['done'] });
      expect(await list({ category: 'c', status: 'completed' })).toEqual({ total: 1, messages: ['done'] });
      expect((await list({}, 1, 1)).messages).toHaveLength(1);
      await on.store.tasks.claim({ task_id: waiting.task.id, attempt: 1, owner: 'b' });
      expect(await list({ status: 'pending' })).toEqual({ total: 0, messages: [] });
      expect(await list({ status: 'in_progress' })).toEqual({ total: 2, messages: ['claimed', 'waiting'] });
    });

    test('how a task ended is told: its status, its attempt, its error and how long it took', async () => {
      const { task, given } = on.log.question('?');
      await on.append(given);
      const error = { code: 'assistant_failed', message: 'It "failed".' } as const;
      const end = { id: task.id, attempt: 2, status: 'failed', error, partial_text: 'I was \u0000' } as const;
      await on.append(on.log.event('task_ended', { task: end }, { ends_task: task.id }));
      expect(await on.store.conversations.task(ME, task.id)).toMatchObject({
        status: 'failed',
        attempt: 2,
        error,
        assistant_responses: [],
        ended_at: created_at,
        actual_duration: 0,
      });
    });

    test('an attempt that was claimed with its message passes to another once it is given back', async () => {
      const { task, given } = on.log.question('?');
      const first = { task_id: task.id, attempt: 1, owner: 'a' };
      await on.append({ ...given, claim: first });
      expect(await on.store.tasks.claim({ ...first, owner: 'b' })).toBe(false);
      expect(await on.store.tasks.claim({ ...first, owner: 'b', attempt: 2 })).toBe(false);
      expect(await on.store.tasks.due(10)).toEqual([]);
      await on.store.tasks.release({ ...first, owner: 'b' });
      expect(await on.store.tasks.due(10)).toEqual([]);
      await on.store.tasks.release(first);
      expect(await on.store.tasks.renew('a', [task.id])).toEqual([]);
      expect((await on.store.tasks.due(10)).map(({ attempt }) => attempt)).toEqual([2]);
      expect(await on.store.tasks.claim({ ...first, owner: 'b', attempt: 2 })).toBe(true);
      expect(await on.store.tasks.renew('a', [task.id])).toEqual([]);
      expect(await on.store.tasks.renew('b', [task.id])).toEqual([task.id]);
      expect(await on.store.tasks.progress(task.id)).toMatchObject({ attempt: 2, text: '' });
    });

    test('a piece of text that was lost ends the text so far: what follows it would read wrong', async () => {
      const { task, given } = on.log.question('?');
      await on.append({ ...given, claim: { task_id: task.id, attempt: 1, owner: 'a' } });
      await on.store.tasks.checkpoint(task.id, 1, 0, 'so ');
      await on.store.tasks.checkpoint(task.id, 1, 8, 'on');
      expect(await on.store.tasks.progress(task.id)).toMatchObject({ attempt: 1, text: 'so ' });
      await on.store.tasks.checkpoint(task.id, 1, 3, 'and s');
      expect(await on.store.tasks.progress(task.id)).toMatchObject({ text: 'so and son' });
    });

    test('leases of others end at once where a process is alone, its own stand', async () => {
      const mine = on.log.question('mine');
      await on.append({ ...mine.given, claim: { task_id: mine.task.id, attempt: 1, owner: 'a' } });
      await on.store.tasks.releaseOthers('a');
      expect(await on.store.tasks.renew('a', [mine.task.id])).toEqual([mine.task.id]);
      await on.store.tasks.releaseOthers('b');
      expect((await on.store.tasks.due(10)).map(({ attempt }) => attempt)).toEqual([2]);
    });

    test('a task that has ended is nobody’s to renew', async () => {
      const { task, given } = on.log.question('?');
      await on.append({ ...given, claim: { task_id: task.id, attempt: 1, owner: 'a' } });
      expect(await on.store.tasks.renew('a', [task.id])).toEqual([task.id]);
      await on.append(on.log.answer(task.id, '!'));
      expect(await on.store.tasks.renew('a', [task.id])).toEqual([]);
      expect(await on.store.tasks.renew('a', [])).toEqual([]);
    });

    test('a worker outside may say more than one thing; its tasks are neither due nor counted', async () => {
      const { task, given } = on.log.question('?');
      const external = { ...task, assistant: 'external' };
      await on.append({
        ...given,
        event: { ...given.event, data: { ...given.event.data, task: external } } as typeof given.event,
      });
      const author = { ...actor, kind: 'assistant', id: 'external' } as const;
      const said = on.log.message('working on it', { role: 'assistant', task_id: task.id, author });
      expect(await on.append(on.log.event('message_created', { message: said }))).toEqual({ status: 'appended' });
      await on.append(on.log.answer(task.id, 'done'));
      const texts = (await on.store.tasks.exchange(task.id)).map(({ content }) => content);
      expect(texts).toEqual(['?', 'working on it', 'done']);
      expect(await on.store.tasks.due(10)).toEqual([]);
      expect(await on.store.tasks.open(ME)).toEqual([]);
    });
  });
}
