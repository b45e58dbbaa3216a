import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../support/mongodb-server.ts';
import { startCluster, type Cluster } from '../support/start-cluster.ts';
import type { ServerOptions } from '../support/start-server.ts';
import { hears, room, seqsOf, textsOf } from './people.ts';

describeWith('redis-server', 'three nodes', () => {
  describe('on one SQLite file', () => {
    threeNodes(() => ({}));
  });

  describeWith('ferretdb', 'on MongoDB', () => {
    let mongodb: MongodbServer;
    beforeAll(async () => void (mongodb = await startMongodb()));
    afterAll(() => mongodb.stop());
    threeNodes(() => ({ MONGODB_URL: mongodb.newDatabase() }));
  });
});

/** `database` makes settings with a database that is new. */
function threeNodes(database: () => NonNullable<ServerOptions['settings']>): void {
  let cluster: Cluster;

  beforeAll(async () => void (cluster = await startCluster(3, { settings: database() })));
  afterAll(() => cluster.close());

  test('what is said on one is heard on all, in one order, with the answer as it is written', async () => {
    const { conversation_id, guests } = await room(cluster, 'ann', 'ben', 'cleo');
    const asked = await Promise.all(
      guests.flatMap(({ client, person }) =>
        [1, 2, 3].map((number) => client.ask('chat', { message: `${person.username} ${number}`, conversation_id })),
      ),
    );
    const ids = asked.map(({ task_id }) => task_id);
    for (const { client } of guests) {
      const ended = new Set();
      while (ended.size < ids.length) ended.add((await client.next('response_end')).task_id);
      expect(ended).toEqual(new Set(ids));
    }
    const [ann, ...others] = guests;
    await Promise.all(guests.map(({ client }) => client.ask('sync', { conversation_id, after_seq: 0 })));
    await expect.poll(() => guests.map((guest) => seqsOf(guest).length)).toEqual([18, 18, 18]);
    expect(seqsOf(ann!)).toEqual(seqsOf(ann!).toSorted((one, other) => one - other));
    for (const other of others) expect(textsOf(other)).toEqual(textsOf(ann!));
    for (const { client } of guests) {
      for (const task_id of ids) {
        const deltas = client.received.filter(
          ({ name, payload }) => name === 'response_delta' && payload.task_id === task_id,
        );
        const final = client.received.find(({ payload }) => payload?.data?.ends_task?.id === task_id);
        expect(deltas.map(({ payload }) => payload.text).join('')).toBe(final?.payload.data.message.content);
      }
    }
  });

  test('a base-layer client and one of protocol 1 on different nodes share a conversation, while a third node goes', async () => {
    const own = await startCluster(3, { settings: database() });
    try {
      const { conversation_id, guests } = await room(own, 'ann', 'ben', 'cleo');
      const [ann, ben] = guests;
      const base = await own.nodes[1]!.connect(ben!.person, { transports: ['polling'] });
      await base.ask('join_conversation', { conversation_id });
      const stopping = own.nodes[2]!.stop();
      const exchanged = async (number: number) => {
        const { task_id } = await ann!.client.ask('chat', { message: `ann ${number}`, conversation_id });
        await base.next(
          'conversation',
          (exchange) => exchange.task_id === task_id && exchange.assistant_responses.length === 1,
        );
        const answered = await base.ask('chat', { message: `ben ${number}`, conversation_id });
        await hears(ann!, `ben ${number}`);
        await ann!.client.next('response_end', (end) => end.task_id === answered.task_id);
      };
      for (let number = 1; number <= 10; number += 1) await exchanged(number);
      await stopping;
      await exchanged(11);
      expect(seqsOf(ann!)).toEqual(Array.from({ length: 44 }, (_, index) => index + 4));
    } finally {
      await own.close();
    }
  });

  test("a sender's other devices hear of it on every node, and so does their list", async () => {
    const { conversation_id, guests } = await room(cluster, 'dora', 'emil');
    const [dora, emil] = guests;
    const elsewhere = await cluster.nodes[2]!.connect(dora!.person, { protocol: 1 });
    const base = await cluster.nodes[2]!.connect(dora!.person);
    const { task_id } = await dora!.client.ask('chat', { message: 'hello', conversation_id });
    expect(await base.next('conversation')).toMatchObject({ task_id, user_message: { content: 'hello' } });
    expect(await elsewhere.next('conversation_changed')).toMatchObject({ conversation_id });
    await emil!.client.ask('chat', { message: 'you are not alone', conversation_id });
    await hears(dora!, 'you are not alone');
  });

  test('one message sent a hundred times over two nodes is stored once, and answered alike', async () => {
    const { conversation_id, guests } = await room(cluster, 'fay', 'gus');
    const [fay] = guests;
    const again = await cluster.nodes[1]!.connect(fay!.person, { protocol: 1 });
    const message = { message: 'once', conversation_id, client_msg_id: 'the-one' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, time) => (time % 2 ? fay!.client : again).ask('chat', message)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const { body } = await cluster.nodes[2]!.call('GET', `/conversations/${conversation_id}/messages`, fay!.person);
    const asked = body.messages.filter(({ role }: { role: string }) => role === 'user');
    expect(asked).toHaveLength(1);
  });

  test('a member who is removed on one node hears nothing more on another', async () => {
    const { conversation_id, guests } = await room(cluster, 'hal', 'ida', 'jan');
    const [hal, ida, jan] = guests;
    await hal!.node.call('DELETE', `/conversations/${conversation_id}/members/ida`, { token: hal!.person.token });
    await jan!.client.next('conversation_event', ({ type }) => type === 'member_left');
    await hal!.client.ask('chat', { message: 'among ourselves', conversation_id });
    await hears(jan!, 'among ourselves');
    await ida!.client.next('conversation_event', ({ type }) => type === 'member_left');
    expect(await ida!.client.ask('sync', { conversation_id, after_seq: 0 })).toMatchObject({
      error: { code: 'not_found' },
    });
    expect(textsOf(ida!)).toEqual([]);
  });

  test('a login that ends on one node loses its sockets on all', async () => {
    const { guests } = await room(cluster, 'kim');
    const [kim] = guests;
    const sockets = await Promise.all(cluster.nodes.map((node) => node.connect(kim!.person, { protocol: 1 })));
    const since = performance.now();
    await cluster.nodes[0]!.call('POST', '/auth/logout', { token: kim!.person.token });
    await Promise.all(sockets.map((socket) => socket.next('disconnect')));
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  test('limits hold for all nodes together', async () => {
    const own = await startCluster(3, {
      settings: { ...database(), CHAT_RATE: '1', CHAT_BURST: '20', ASSISTANT: 'none' },
    });
    try {
      const { conversation_id, guests } = await room(own, 'liv');
      const sockets = await Promise.all(own.nodes.map((node) => node.connect(guests[0]!.person, { protocol: 1 })));
      const answers = [];
      for (let time = 0; time < 60; time += 1) {
        answers.push(await sockets[time % 3]!.ask('chat', { message: 'hello', conversation_id }));
      }
      const refused = answers.filter(({ ok }) => !ok);
      expect(refused.length).toBeGreaterThanOrEqual(60 - 20 - sockets.length); // each node learns of it by one of its own
      const refusal = { code: 'rate_limited', retry_after_ms: expect.any(Number) };
      for (const { error } of refused) expect(error).toMatchObject(refusal);
      await own.redis.kill();
      await Promise.all(own.nodes.map((node) => node.hearsRedis(false)));
      const mia = await own.nodes[0]!.signUp('mia');
      const socket = await own.nodes[0]!.connect(mia, { protocol: 1 });
      const alone = await Promise.all(Array.from({ length: 30 }, () => socket.ask('chat', { message: 'hello' })));
      expect(alone.filter(({ ok }) => ok)).toHaveLength(20);
    } finally {
      await own.close();
    }
  });

  test('a forged packet that claims the future costs one look at the log, and delivery goes on', async () => {
    const { conversation_id, guests } = await room(cluster, 'nat', 'ole');
    const [nat, ole] = guests;
    const prefix = `tertulia:${nat!.node.context.store.epoch}:`;
    const packet = { kind: 'event', conversation_id, seq: 1_000_000_000, event: null };
    await cluster.redis.publish(`${prefix}conversation:${conversation_id}`, `x ${JSON.stringify(packet)}`);
    for (const text of ['one', 'two']) {
      await nat!.client.ask('chat', { message: text, conversation_id });
      await hears(ole!, text);
    }
  });
}
