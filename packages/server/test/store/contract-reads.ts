import { describe, expect, test } from 'vitest';
import { MESSAGE_PAGE_TEXT } from '../../src/store/paging.ts';
import { eachOnNewStore, type BeginDatabase } from './contract-fixture.ts';
import { ME, created_at } from './log-builder.ts';

/** What members read of every store. */
export function readContract(name: string, begin: BeginDatabase): void {
  describe(`the contract of reads on ${name}`, () => {
    const on = eachOnNewStore(begin);

    test('a conversation is read as its events left it', async () => {
      const { task, given } = on.log.question('?');
      await on.append(given);
      const metadata = { $set: { 'a.b': [null, '\u0000', 1e308, 5e-324] }, '': { $where: '1' } };
      const changes = { title: 'Æ 名', description: 'NUL \u0000 and "quotes"', metadata, is_active: false };
      await on.append(on.log.event('conversation_updated', changes));
      const read = () => on.store.conversations.get(ME, on.log.id);
      const whole = {
        id: on.log.id,
        user_id: ME,
        last_seq: 3,
        task_ids: [task.id],
        created_at,
        updated_at: created_at,
      };
      expect(await read()).toEqual({ ...changes, ...whole });
      await on.append(on.log.event('conversation_updated', { description: null }));
      expect(await read()).toEqual({ ...changes, ...whole, last_seq: 4, description: null });
      const list = await on.store.conversations.list(ME, { skip: 0, limit: 1, sort_by: 'created_at', sort_order: -1 });
      expect(list).toEqual({ conversations: [await read()], total: 1 });
    });

    test('members are told in the order in which they came', async () => {
      const join = (user_id: string, second: number) =>
        on.log.event('member_joined', {
          member: { user_id, username: '', role: 'member', joined_at: `2026-01-01T00:00:0${second}.000Z` },
        });
      await on.append(join('late', 9));
      await on.append(join('b', 5));
      await on.append(join('a', 5));
      const ids = async (user: string) =>
        (await on.store.conversations.members(user, on.log.id))?.map(({ user_id, role }) => `${user_id} ${role}`);
      expect(await ids('late')).toEqual([`${ME} owner`, 'a member', 'b member', 'late member']);
      await on.append(on.log.event('member_left', { user_id: 'b', username: '' }));
      expect(await ids(ME)).toEqual([`${ME} owner`, 'a member', 'late member']);
      expect(await ids('b')).toBeUndefined();
      expect(
        (await on.store.conversations.list('a', { skip: 0, limit: 9, sort_by: 'title', sort_order: 1 })).total,
      ).toBe(1);
    });

    test('pages of messages end with their number, or with the message that brings their text to the most', async () => {
      for (const content of ['one', 'two', 'x'.repeat(MESSAGE_PAGE_TEXT), 'four'])
        await on.append(on.log.event('message_created', { message: on.log.message(content) }));
      const page = async (before: number, limit: number) =>
        (await on.store.conversations.messages(ME, on.log.id, before, limit))?.map(({ seq }) => seq);
      expect(await page(100, 10)).toEqual([4, 5]);
      expect(await page(4, 10)).toEqual([2, 3]);
      expect(await page(4, 1)).toEqual([3]);
      expect(await page(2, 10)).toEqual([]);
    });

    test('a reader who has more than there is is told to begin again', async () => {
      expect(await on.store.conversations.events(ME, on.log.id, 2, 10, 1_000)).toMatchObject({
        reset: true,
        last_seq: 1,
      });
      expect(await on.store.conversations.events(ME, on.log.id, 1, 10, 1_000)).toEqual({
        events: [],
        last_seq: 1,
        complete: true,
        running: [],
      });
    });

    test('an event is found by the id that its sender gave it', async () => {
      const { given } = on.log.question('once', { client_msg_id: 'm-1' });
      await on.append(given);
      expect(await on.store.log.find(on.log.id, ME, 'm-1')).toEqual(given.event);
      expect(await on.store.log.find(on.log.id, ME, 'm-2')).toBeNull();
      expect(await on.store.log.find(on.log.id, 'another', 'm-1')).toBeNull();
    });
  });
}
