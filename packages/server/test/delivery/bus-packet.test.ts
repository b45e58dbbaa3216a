import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPacket, writePacket } from '../../src/delivery/bus-packet.ts';
import type { BusMessage } from '../../src/delivery/bus.ts';

const event = {
  conversation_id: 'c',
  seq: 7,
  type: 'conversation_updated',
  actor: { kind: 'user', id: 'u', name: 'alice' },
  created_at: '2026-01-01T00:00:00.000Z',
  data: { title: 'a title', metadata: { deep: [[[[[[[[[[[[['here']]]]]]]]]]]]] } },
};
const packet = { kind: 'event', conversation_id: 'c', seq: 7, event, asker: null };

test('metadata as deep as it may be passes', () => {
  expect(readPacket(JSON.stringify(packet))).toEqual(packet);
});

test('no text makes the reader throw', () => {
  const texts = fc.oneof(fc.string({ maxLength: 300 }), fc.json({ maxDepth: 3 }));
  fc.assert(fc.property(texts, (text) => readPacket(text) === null));
});

test('a packet with a value in a wrong place is refused, or its event left to the log', () => {
  const paths = ['kind', 'conversation_id', 'seq', 'event', 'asker'] as const;
  const changed = fc.record({ path: fc.constantFrom(...paths), value: fc.jsonValue({ maxDepth: 3 }) });
  fc.assert(
    fc.property(changed, ({ path, value }) => {
      const read = readPacket(JSON.stringify({ ...packet, [path]: value }));
      if (read === null) return true;
      return read.kind === 'event' && (read.event === null || read.event.seq === read.seq);
    }),
  );
});

test('what a node writes others read', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 50 });
  fc.assert(
    fc.property(texts, fc.nat(), (text, index) => {
      const payload = { conversation_id: 'c', task_id: 't', attempt: 1, index, text };
      const message: BusMessage = { kind: 'stream', conversation_id: 'c', name: 'response_delta', payload };
      expect(readPacket(writePacket(message))).toEqual(message);
    }),
  );
});
