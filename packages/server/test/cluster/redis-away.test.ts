import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { startCluster, type Cluster } from '../support/start-cluster.ts';
import { hears, room, seqsOf, textsOf, type Guest } from './people.ts';

/** A log is looked at each 2 s while Redis is away, each 10 s while it is there; the rest is for a busy machine. */
const TAILED_MS = 4_000;
const LOOKED_MS = 13_000;

describeWith('redis-server', 'nodes without their Redis', () => {
  let cluster: Cluster;
  let conversation_id: string;
  let ann: Guest;
  let ben: Guest;
  let cleo: Guest;

  /** Ann is alone on her node; Ben and Cleo share theirs. */
  beforeEach(async () => {
    cluster = await startCluster(2, { settings: { ASSISTANT: 'none' } });
    const made = await room(cluster, 'ann', 'ben', 'dan', 'cleo');
    conversation_id = made.conversation_id;
    [ann, ben, , cleo] = made.guests as [Guest, Guest, Guest, Guest];
  });
  afterEach(() => cluster.close());

  const say = ({ client }: Guest, message: string) => client.ask('chat', { message, conversation_id });
  const hearing = (does: boolean) => Promise.all(cluster.nodes.map((node) => node.hearsRedis(does)));

  /** Ann speaks: Cleo hears of it late, and Ann's own acknowledgements do not wait. Then Ben, whom Cleo hears at once. */
  async function talkWithout(withinMs = TAILED_MS): Promise<void> {
    for (let number = 1; number <= 20; number += 1) {
      expect(await say(ann, `without ${number}`)).toMatchObject({ ok: true });
    }
    const since = performance.now();
    await hears(cleo, 'without 20');
    expect(performance.now() - since).toBeLessThan(withinMs);
    const { seq } = await say(ben, 'beside you');
    await hears(cleo, 'beside you');
    expect(await cleo.client.ask('sync', { conversation_id, after_seq: seq - 1 })).toMatchObject({
      ok: true,
      last_seq: seq,
    });
  }

  /** Everybody has every event once, in order, and nothing else comes. */
  async function expectNothingTwice(): Promise<void> {
    await say(ann, 'the last');
    for (const guest of [ann, ben, cleo]) {
      if (guest !== ann) await hears(guest, 'the last');
      await guest.node.context.delivery.tail();
      expect(new Set(seqsOf(guest)).size).toBe(seqsOf(guest).length);
      expect(seqsOf(guest)).toEqual(seqsOf(guest).toSorted((one, other) => one - other));
    }
    expect(textsOf(cleo)).toEqual(textsOf(ben));
  }

  test('dead: all goes on, and when it is back nothing is told twice', async () => {
    await cluster.redis.kill();
    await hearing(false);
    await talkWithout();
    expect((await fetch(`${ann.node.url}/readyz`)).status).toBe(200);
    await cluster.redis.start();
    await hearing(true);
    await expectNothingTwice();
  });

  /** The slowest trip but one in a hundred, in milliseconds, from Ben to Cleo beside him. */
  async function slowestTrip(milliseconds: number): Promise<number> {
    const trips: number[] = [];
    for (const end = performance.now() + milliseconds; performance.now() < end;) {
      const since = performance.now();
      const text = `trip at ${since}`;
      await say(ben, text);
      await hears(cleo, text);
      trips.push(performance.now() - since);
    }
    return trips.toSorted((one, other) => one - other)[Math.floor(trips.length * 0.99)]!;
  }

  test('hanging: nobody on the same node waits longer than usual', async () => {
    const usual = await slowestTrip(2_000);
    cluster.redis.signal('SIGSTOP');
    expect(await slowestTrip(4_000)).toBeLessThan(Math.max(100, 3 * usual));
    await hearing(false);
    await talkWithout();
    cluster.redis.signal('SIGCONT');
    await hearing(true);
    await expectNothingTwice();
  });

  test('hanging: a conversation is opened all the same', async () => {
    cluster.redis.signal('SIGSTOP');
    const since = performance.now();
    expect(await ann.client.ask('chat', { message: 'a new one' })).toMatchObject({ ok: true });
    const page = await ann.client.ask('join_conversation', { conversation_id, after_seq: 0 });
    expect(page).toMatchObject({ ok: true, joined: true });
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  test('gone for one node only: it reads what the others say, and they what it says', async () => {
    ann.node.link.refuses = true;
    ann.node.link.cut();
    await ann.node.hearsRedis(false);
    await talkWithout(LOOKED_MS); // Cleo's node hears the others, and does not know that Ann's is cut off
    await say(ben, 'can you hear me?');
    await hears(ann, 'can you hear me?');
    ann.node.link.refuses = false;
    await ann.node.hearsRedis(true);
    await expectNothingTwice();
  });

  test('back for one node before the other: it soon reads what the other says', async () => {
    ann.node.link.refuses = true;
    ann.node.link.cut();
    cleo.node.link.cut();
    await ann.node.hearsRedis(false);
    await cleo.node.hearsRedis(true);
    await talkWithout();
    ann.node.link.refuses = false;
    await ann.node.hearsRedis(true);
    await expectNothingTwice();
  });

  test('cut again and again while everybody talks: nobody misses a word', async () => {
    const end = new AbortController();
    const talk = async (guest: Guest) => {
      for (let number = 0; !end.signal.aborted; number += 1) await say(guest, `${guest.person.username} ${number}`);
    };
    const talking = [ann, ben].map(talk);
    for (let cut = 0; cut < 10; cut += 1) {
      const { link } = cluster.nodes[cut % 2]!;
      if (cut % 3 === 0) link.reset();
      else link.cut();
      await hearing(true);
    }
    end.abort();
    await Promise.all(talking);
    await expectNothingTwice();
    expect(textsOf(ann).length).toBe(textsOf(cleo).length);
  });

  test('a login that ends on one node loses its sockets on another that is cut off', async () => {
    const elsewhere = await ben.node.connect(ann.person, { protocol: 1 });
    ben.node.link.isBlackhole = true;
    const since = performance.now();
    await ann.node.call('POST', '/auth/logout', { token: ann.person.token });
    await elsewhere.next('disconnect');
    expect(performance.now() - since).toBeLessThan(20_000);
  });
});
