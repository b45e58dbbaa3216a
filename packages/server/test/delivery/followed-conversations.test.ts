import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Bus, Topic } from '../../src/delivery/bus.ts';
import { FollowedConversations } from '../../src/delivery/followed-conversations.ts';

/** Conversations whose logs cannot be read. */
function followed() {
  const topics = new Set<Topic>();
  const bus: Bus = {
    isShared: true,
    isUp: true,
    publish: () => undefined,
    follow: (topic) => void topics.add(topic),
    unfollow: (topic) => void topics.delete(topic),
    subscribe: () => undefined,
    close: () => Promise.resolve(),
  };
  const away = () => Promise.reject(new Error('the database is away'));
  const subject = new FollowedConversations({
    store: { append: away, view: away, read: away, lastSeq: away, lastSeqs: away, find: away },
    bus,
    log: pino({ level: 'silent' }),
    deliver: () => undefined,
    onForgotten: () => undefined,
  });
  return { subject, topics };
}

test('a conversation that could not be opened is not followed for ever', async () => {
  const { subject, topics } = followed();
  await expect(Promise.all([subject.open('c'), subject.open('c')])).rejects.toThrow('away');
  expect([...topics]).toEqual([]);
});
