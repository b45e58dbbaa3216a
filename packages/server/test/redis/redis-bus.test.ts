import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ConversationEvent } from '@tertulia/protocol';
import { describeWith } from '../support/describe-with.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TestNode, until } from './nodes.ts';

const event = (seq: number, description: string): ConversationEvent => ({
  conversation_id: 'c',
  seq,
  type: 'conversation_updated',
  actor: { kind: 'user', id: 'u', name: 'alice' },
  created_at: '2026-01-01T00:00:00.000Z',
  data: { description },
});

interface Piece {
  readonly index: number;
  readonly text: string;
}

describeWith('redis-server', 'nodes linked by Redis', () => {
  let redis: RedisServer;
  const nodes: TestNode[] = [];

  beforeAll(async () => void (redis = await RedisServer.start()));
  afterAll(() => redis.stop());
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ bus }) => bus.close()));
  });

  async function start(epoch?: string): Promise<TestNode> {
    const node = new TestNode(redis.url, epoch);
    nodes.push(node);
    await node.up();
    return node;
  }

  test('a node hears the topics that it follows, in order, and nothing of what it publishes itself', async () => {
    const [a, b, c] = await Promise.all([start(), start(), start()]);
    for (const node of [a, b]) await node.bus.follow('conversation:c');
    await c.bus.follow('conversation:other');
    for (let seq = 1; seq <= 100; seq += 1) a.tell('conversation:c', seq);
    a.tell('all', 101);
    for (const node of [b, c]) await node.hears(101);
    expect(b.seqs).toEqual(Array.from({ length: 101 }, (_, index) => index + 1));
    expect(c.seqs).toEqual([101]);
    expect(a.heard).toEqual([]);
    expect(a.bus.counts).toMatchObject({ published: 101, received: 0, dropped: 0 });
  });

  test('pieces of an answer that no other node hears are gathered; who comes meanwhile misses none, in order', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    await a.bus.follow('conversation:c'); // it hears its own, which is nobody else
    const stream = { kind: 'stream', conversation_id: 'c' } as const;
    const about = { conversation_id: 'c', task_id: 't', attempt: 1 };
    let index = 0;
    const speak = () => {
      const payload = { ...about, index, text: `${index % 10}` };
      a.bus.publish(['conversation:c'], { ...stream, name: 'response_delta', payload });
      index += 1;
    };
    const isGathered = () => {
      const { published } = a.bus.counts;
      speak();
      return a.bus.counts.published === published;
    };
    await until(isGathered, 'a piece is gathered');
    await b.bus.follow('conversation:c');
    speak(); // and then no other word
    const heard = () => b.heard.flatMap((message) => (message.kind === 'stream' ? [message.payload as Piece] : []));
    await until(() => heard().some((piece) => piece.index + piece.text.length === index), 'the last piece is heard');
    for (let more = 0; more < 100; more += 1) speak();
    a.tell('conversation:c', 7);
    await b.hears(7);
    expect(b.heard.at(-1)).toMatchObject({ seq: 7 });
    let place = heard()[0]!.index;
    for (const piece of heard()) {
      expect(piece.index).toBe(place);
      expect(piece.text).toBe(Array.from(piece.text, (_, offset) => String((place + offset) % 10)).join(''));
      place += piece.text.length;
    }
    expect(place).toBe(index);
  });

  test('what it follows no more it does not hear, and what it follows again at once it hears', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    await b.bus.follow('conversation:c');
    b.bus.unfollow('conversation:c');
    await b.bus.follow('conversation:d');
    a.tell('conversation:c', 1);
    a.tell('conversation:d', 2);
    await b.hears(2);
    b.bus.unfollow('conversation:d');
    await b.bus.follow('conversation:d');
    a.tell('conversation:d', 3);
    await b.hears(3);
    expect(b.seqs).toEqual([2, 3]);
  });

  test('a small event goes whole, a large one as its seq', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    await b.bus.follow('conversation:c');
    const [small, large] = [event(1, 'short'), event(2, 'long'.repeat(5_000))];
    for (const sent of [small, large]) {
      a.bus.publish(['conversation:c'], {
        kind: 'event',
        conversation_id: 'c',
        seq: sent.seq,
        event: sent,
        asker: null,
      });
    }
    await b.hears(2);
    expect(b.heard).toEqual([
      { kind: 'event', conversation_id: 'c', seq: 1, event: small, asker: null },
      { kind: 'event', conversation_id: 'c', seq: 2, event: null, asker: null },
    ]);
  });

  test('two installations on one Redis do not hear each other', async () => {
    const [a, b, stranger] = [await start('one'), await start('one'), await start('two')];
    stranger.tell('all', 1);
    a.tell('all', 2);
    await b.hears(2);
    expect(b.seqs).toEqual([2]);
    expect(stranger.heard).toEqual([]);
  });

  test('all kinds of messages arrive as they were sent', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    const stream = { conversation_id: 'c', task_id: 't', attempt: 1 };
    const messages = [
      { kind: 'stream', conversation_id: 'c', name: 'response_start', payload: { ...stream, assistant: 'echo' } },
      {
        kind: 'stream',
        conversation_id: 'c',
        name: 'response_delta',
        payload: { ...stream, index: 0, text: '\u2028😀' },
      },
      { kind: 'stream', conversation_id: 'c', name: 'response_end', payload: { ...stream, status: 'completed' } },
      { kind: 'revoked', session_ids: ['s'] },
      { kind: 'renamed', user: { id: 'u', username: 'alice', email: 'a@example.com', full_name: null } },
      { kind: 'changed', user_id: 'u', conversation_id: 'c', seq: 7 },
    ] as const;
    for (const message of messages) a.bus.publish(['all'], message);
    await b.hears(7);
    expect(b.heard).toEqual(messages);
  });

  test.each([
    ['no JSON', 'x {'],
    ['another shape', 'x {"kind":"dance"}'],
    ['an unknown name', 'x {"kind":"stream","conversation_id":"c","name":"connected","payload":{}}'],
    [
      'a foreign stream',
      'x {"kind":"stream","conversation_id":"c","name":"response_end","payload":{"conversation_id":"d","task_id":"t","attempt":1,"status":"completed"}}',
    ],
    ['a seq that is none', 'x {"kind":"changed","user_id":"u","conversation_id":"c","seq":-1}'],
    [
      'deep nesting',
      `x {"kind":"event","conversation_id":"c","seq":1,"asker":null,"event":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
    ],
    ['too much of everything', `x {"kind":"revoked","session_ids":["s"${',"s"'.repeat(100_000)}]}`],
    ['a prototype', 'x {"__proto__":{"kind":"changed"}}'],
    ['nothing', ''],
  ])('a forged packet with %s is refused, and said once', async (_, packet) => {
    const [a, b] = await Promise.all([start(), start()]);
    for (let times = 0; times < 3; times += 1) await redis.publish('tertulia:epoch:all', packet);
    a.tell('all', 1);
    await b.hears(1);
    expect(b.seqs).toEqual([1]);
    expect(b.bus.counts.refused).toBe(3);
    expect(b.logged.filter((line) => line.includes('is no message'))).toHaveLength(1);
  });

  test.each([
    ['of an unknown type', { ...event(1, 'x'), type: 'poll_opened' }],
    ['of another conversation', { ...event(1, 'x'), conversation_id: 'd' }],
    ['of another place', event(2, 'x')],
  ])('an event %s is left to the log', async (_, forged) => {
    const b = await start();
    const packet = { kind: 'event', conversation_id: 'c', seq: 1, event: forged, asker: null };
    await redis.publish('tertulia:epoch:all', `x ${JSON.stringify(packet)}`);
    await b.hears(1);
    expect(b.heard).toEqual([{ ...packet, event: null }]);
  });

  test('Redis keeps nothing of it', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    a.tell('all', 1);
    await b.hears(1);
    expect(await redis.cli('DBSIZE')).toBe('0');
  });
});
