import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpFaults } from '../support/tcp-faults.ts';
import { TestNode, until } from './nodes.ts';

/** How long Redis is stopped; 30 s by hand. */
const STOPPED_MS = Number(process.env['REDIS_STOPPED_MS'] ?? 3_000);
/** What hangs is noticed within 2 s; the rest is for a busy machine. TCP by itself would take a quarter of an hour. */
const NOTICED_MS = 10_000;

/** What is kept, without what is only waiting to be collected. */
function heapMegabytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed / 1e6;
}

describeWith('redis-server', 'nodes whose Redis fails', () => {
  let redis: RedisServer;
  let proxy: TcpFaults;
  let near: TestNode;
  let far: TestNode;

  /** `near` has a network of its own to Redis, `far` a good one. */
  beforeEach(async () => {
    redis = await RedisServer.start();
    proxy = await TcpFaults.start(redis.port);
    near = new TestNode(`redis://127.0.0.1:${proxy.port}`);
    far = new TestNode(redis.url);
    await Promise.all([near.up(), far.up()]);
    await Promise.all([near.bus.follow('conversation:c'), far.bus.follow('conversation:c')]);
  });

  afterEach(async () => {
    redis.signal('SIGCONT');
    await Promise.all([near.bus.close(), far.bus.close()]);
    await proxy.close();
    await redis.stop();
  });

  /** All that was followed is heard again, on both, and only once. */
  async function expectLinked(): Promise<void> {
    const [before, beforeFar] = [near.heard.length, far.heard.length];
    far.tell('conversation:c', 1_001);
    near.tell('conversation:c', 1_002);
    await Promise.all([near.hears(1_001), far.hears(1_002)]);
    expect(near.seqs.slice(before)).toEqual([1_001]);
    expect(far.seqs.slice(beforeFar)).toEqual([1_002]);
  }

  const toldOf = (node: TestNode, words: string) => node.logged.filter((line) => line.includes(words)).length;

  test('after kill -9 and a start with nothing, all is followed again, also what was followed meanwhile', async () => {
    await redis.kill();
    await Promise.all([near.down(), far.down()]);
    near.tell('conversation:c', 1);
    await near.bus.follow('conversation:d');
    near.bus.unfollow('conversation:never');
    expect(near.bus.counts.dropped).toBe(1);
    await redis.start();
    await Promise.all([near.up(2), far.up(2)]);
    far.tell('conversation:d', 7);
    await near.hears(7);
    await expectLinked();
    expect(far.seqs).not.toContain(1);
    expect([toldOf(near, 'Redis is not there'), toldOf(near, 'Redis is there')]).toEqual([1, 2]);
  });

  test('a Redis that hangs is noticed, delays nothing and fills no memory', async () => {
    redis.signal('SIGSTOP');
    const stoppedAt = performance.now();
    await near.bus.follow('conversation:d');
    expect(performance.now() - stoppedAt).toBeLessThan(1_500);
    const before = heapMegabytes();
    for (let seq = 1; seq <= 200_000; seq += 1) near.tell('conversation:c', seq);
    expect(heapMegabytes() - before).toBeLessThan(50);
    await Promise.all([near.down(), far.down()]);
    expect(performance.now() - stoppedAt).toBeLessThan(NOTICED_MS);
    expect(near.bus.counts.dropped).toBeGreaterThan(180_000);
    await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
    expect(heapMegabytes() - before).toBeLessThan(10);
    redis.signal('SIGCONT');
    await Promise.all([near.up(2), far.up(2)]);
    far.tell('conversation:d', 300_000);
    await near.hears(300_000);
  });

  test.each(['pubsub', 'normal'])('%s connections that Redis ends are made again', async (type) => {
    await redis.cli('CLIENT', 'KILL', 'TYPE', type);
    await Promise.all([near.up(2), far.up(2)]);
    await expectLinked();
  });

  test.each([
    ['cut', () => proxy.cut()],
    ['reset', () => proxy.reset()],
  ])('a link that is %s is made again', async (_, fail) => {
    fail();
    await near.up(2);
    await expectLinked();
  });

  test('a link on which nothing passes is noticed; what was said meanwhile is not heard later', async () => {
    const since = performance.now();
    proxy.isBlackhole = true;
    await near.down();
    expect(performance.now() - since).toBeLessThan(NOTICED_MS);
    far.tell('conversation:c', 1);
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // through a try to connect that does not come to an end
    proxy.isBlackhole = false;
    await near.up(2);
    await expectLinked();
    expect(near.seqs).not.toContain(1);
  });

  test('while no connection can be made, the tries are few', async () => {
    proxy.refuses = true;
    proxy.cut();
    await near.down();
    const before = proxy.refused;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(proxy.refused - before).toBeLessThan(20);
    proxy.refuses = false;
    await near.up(2);
    await expectLinked();
  });

  test('a slow link is no lost one', async () => {
    proxy.delayMs = 300;
    far.tell('conversation:c', 1);
    await near.hears(1);
    await near.bus.follow('conversation:d');
    await until(() => near.ups === 2, 'what was lost while a slow Redis was not waited for is looked for');
    expect(near.bus.isUp).toBe(true);
    expect(toldOf(near, 'Redis is not there')).toBe(0);
  });

  test.each([
    ['out of memory', ['CONFIG', 'SET', 'maxmemory', '1']],
    ['read-only', ['REPLICAOF', '127.0.0.1', '1']],
  ])('a Redis that is %s still tells nodes what is new; each counts by itself', async (_, command) => {
    await redis.cli(...command);
    const limiter = near.limiters('chat', 2, 60);
    await limiter.consume('alice');
    await expect.poll(() => toldOf(near, 'Redis does not count')).toBe(1);
    await limiter.consume('alice');
    await expect(limiter.consume('alice')).rejects.toMatchObject({ msBeforeNext: expect.any(Number) });
    await expectLinked();
  });

  test('many topics are followed again in portions', async () => {
    const many = 20_000;
    for (let number = 0; number < many; number += 1) void near.bus.follow(`conversation:${number}`);
    await near.bus.follow('conversation:last');
    proxy.cut();
    // Not `up(2)`: that is also told of by those that had to wait for so many.
    await until(() => toldOf(near, 'Redis is there') === 2, 'the link is there again');
    const channels = (await redis.cli('PUBSUB', 'CHANNELS')).split('\n').length;
    expect(channels).toBe(many + 5); // and `last`, `c`, `all` and two echoes
    await expectLinked();
  });
});
