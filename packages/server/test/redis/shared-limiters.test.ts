import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TestNode } from './nodes.ts';

const refusal = expect.objectContaining({ msBeforeNext: expect.any(Number) });

describeWith('redis-server', 'limits that nodes share', () => {
  let redis: RedisServer;
  let nodes: TestNode[];

  beforeEach(async () => {
    redis = await RedisServer.start();
    nodes = [new TestNode(redis.url), new TestNode(redis.url), new TestNode(redis.url)];
    await Promise.all(nodes.map((node) => node.up()));
  });

  afterEach(async () => {
    redis.signal('SIGCONT');
    await Promise.all(nodes.map(({ bus }) => bus.close()));
    await redis.stop();
  });

  /** Takes on one node after the other, giving Redis time to answer; counts what passed. */
  async function takeInTurn(times: number, name: string, points: number, seconds: number, key: string) {
    const limiters = nodes.map((node) => node.limiters(name, points, seconds));
    let passed = 0;
    for (let time = 0; time < times; time += 1) {
      const taking = limiters[time % limiters.length]!.consume(key);
      passed += await taking.then(
        () => 1,
        () => 0,
      );
      await redis.cli('PING');
    }
    return { passed, limiters };
  }

  test('what comes to several nodes is counted together', async () => {
    const { passed, limiters } = await takeInTurn(60, 'chat', 20, 60, 'alice');
    expect(passed).toBeGreaterThanOrEqual(20);
    expect(passed).toBeLessThanOrEqual(20 + nodes.length); // each node learns of it from a message of its own
    for (const limiter of limiters) await expect(limiter.consume('alice')).rejects.toEqual(refusal);
    await limiters[0]?.consume('bob');
  });

  test('limits of other names, and of other installations, count apart', async () => {
    await takeInTurn(10, 'chat', 3, 60, 'alice');
    expect((await takeInTurn(3, 'requests', 3, 60, 'alice')).passed).toBe(3);
    const stranger = new TestNode(redis.url, 'another');
    nodes.push(stranger);
    await stranger.up();
    for (let time = 0; time < 3; time += 1) await stranger.limiters('chat', 3, 60).consume('alice');
  });

  test('every key in Redis ends by itself, says no name, and frees its user', async () => {
    const { limiters } = await takeInTurn(10, 'chat', 3, 2 / 3, 'alice'); // not a whole second: Redis takes no less
    await limiters[0]?.reward('carol');
    const keys = (await redis.cli('KEYS', '*')).split('\n');
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(key).toMatch(/^tertulia:epoch:limit:chat:[\w-]{43}$/);
      expect(Number(await redis.cli('PTTL', key))).toBeGreaterThan(-1);
    }
    await expect.poll(() => redis.cli('DBSIZE'), { timeout: 10_000 }).toBe('0');
    for (const limiter of limiters) await expect.poll(() => limiter.consume('alice').catch(() => null)).not.toBeNull();
  });

  test('what is given back does not count, on any node', async () => {
    const limiters = nodes.map((node) => node.limiters('sign-ins', 3, 60));
    for (let time = 0; time < 30; time += 1) {
      const limiter = limiters[time % limiters.length];
      await limiter?.consume('alice');
      await limiter?.reward('alice');
      await redis.cli('PING');
    }
  });

  test.each([
    ['dead', () => redis.kill()],
    ['hanging', async () => redis.signal('SIGSTOP')],
  ])('with a %s Redis each node counts by itself, at once, and with the others again after', async (_, fail) => {
    const { limiters } = await takeInTurn(0, 'chat', 5, 60, 'alice');
    await fail();
    const startedAt = performance.now();
    for (const limiter of limiters) {
      for (let time = 0; time < 5; time += 1) await limiter.consume('alice');
      await expect(limiter.consume('alice')).rejects.toEqual(refusal);
    }
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await Promise.all(nodes.map((node) => node.down()));
    redis.signal('SIGCONT');
    await redis.kill();
    await redis.start();
    await Promise.all(nodes.map((node) => node.up(2)));
    expect((await takeInTurn(30, 'chat', 5, 60, 'bob')).passed).toBeLessThanOrEqual(5 + nodes.length);
  });
});
