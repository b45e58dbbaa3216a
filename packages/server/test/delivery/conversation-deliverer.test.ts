import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConversationEvent } from '@tertulia/protocol';
import { ConversationDeliverer } from '../../src/delivery/conversation-deliverer.ts';

function event(seq: number): ConversationEvent {
  return {
    conversation_id: 'c',
    seq,
    type: 'conversation_updated',
    actor: { kind: 'user', id: 'u', name: 'alice' },
    created_at: '2026-01-01T00:00:00.000Z',
    data: {},
  };
}

/** A log of `length` events, and what was delivered from it. */
function deliverer(length: number, options: { failReads?: number; slow?: (seq: number) => boolean } = {}) {
  const delivered: number[] = [];
  const errors: unknown[] = [];
  let failures = options.failReads ?? 0;
  const subject = new ConversationDeliverer('c', 0, {
    async read(_id, afterSeq, limit) {
      if (failures-- > 0) throw new Error('the database is away');
      await Promise.resolve();
      return Array.from({ length: Math.min(limit, length - afterSeq) }, (_, index) => event(afterSeq + index + 1));
    },
    deliver({ seq }) {
      delivered.push(seq);
      return options.slow?.(seq) ? Promise.resolve() : undefined;
    },
    onError: (error) => void errors.push(error),
  });
  return { subject, delivered, errors };
}

test('whatever hints come, lost, doubled or shuffled, every event is delivered once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 120 }),
      fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
      async (length, hints, slow) => {
        const { subject, delivered } = deliverer(length, { slow: (seq) => slow[seq - 1] === true });
        for (const seq of hints) {
          if (seq <= length) subject.offer(event(seq));
          if (seq % 7 === 0) await Promise.resolve();
        }
        await subject.catchUp(length);
        expect(delivered).toEqual(Array.from({ length }, (_, index) => index + 1));
      },
    ),
  );
});

test('an event in its turn is delivered without a turn of the event loop', () => {
  const { subject, delivered } = deliverer(3);
  subject.offer(event(1));
  subject.offer(event(2));
  expect(delivered).toEqual([1, 2]);
});

test('a gap that cannot be read is refused as unavailable, and delivered once the log is back', async () => {
  const { subject, delivered, errors } = deliverer(5, { failReads: 2 });
  await expect(subject.catchUp(5)).rejects.toMatchObject({ code: 'unavailable' });
  expect(errors).toHaveLength(2);
  await subject.retry();
  expect(delivered).toEqual([1, 2, 3, 4, 5]);
});

test('a deletion is delivered also where what came before it has been removed', async () => {
  const deletion = { ...event(9), type: 'conversation_deleted' } as ConversationEvent;
  const delivered: number[] = [];
  const subject = new ConversationDeliverer('c', 0, {
    async read(_id, afterSeq) {
      await nextTurn();
      return [event(8), deletion].filter(({ seq }) => seq > afterSeq);
    },
    deliver: ({ seq }) => void delivered.push(seq),
    onError: (error) => expect.fail(String(error)),
  });
  subject.offer(event(1));
  await subject.catchUp(9);
  expect(delivered).toEqual([1, 9]);
});

test('a log with a hole is not read without a pause', async () => {
  let reads = 0;
  const subject = new ConversationDeliverer('c', 0, {
    async read() {
      reads += 1;
      await nextTurn();
      return [event(3)];
    },
    deliver: () => expect.fail('it would be out of order'),
    onError: () => undefined,
  });
  await expect(subject.catchUp(3)).rejects.toMatchObject({ code: 'unavailable' });
  expect(reads).toBeLessThan(5);
});
