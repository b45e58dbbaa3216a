import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { RedisServer, type RedisOptions } from '../support/redis-server.ts';
import { TcpFaults } from '../support/tcp-faults.ts';
import { TestNode, until } from './nodes.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));

describeWith('redis-server', 'kinds of Redis', () => {
  const servers: RedisServer[] = [];
  const nodes: TestNode[] = [];

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ bus }) => bus.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  async function startRedis(options?: RedisOptions): Promise<RedisServer> {
    const server = await RedisServer.start(options);
    servers.push(server);
    return server;
  }

  function startNode(url: string): TestNode {
    const node = new TestNode(url);
    nodes.push(node);
    return node;
  }

  /** Two nodes hear each other, and count together. */
  async function expectLinked(url: string): Promise<[TestNode, TestNode]> {
    const [a, b] = [startNode(url), startNode(url)];
    await Promise.all([a.up(), b.up()]);
    await hearEachOther(a, b, 1);
    await a.limiters('chat', 1, 60).consume('alice');
    const limiter = b.limiters('chat', 1, 60);
    await limiter.consume('alice').catch(() => undefined);
    await expect.poll(() => limiter.consume('alice').catch(() => null)).toBeNull();
    return [a, b];
  }

  async function hearEachOther(a: TestNode, b: TestNode, seq: number): Promise<void> {
    // Enough topics to lie on each part of a cluster.
    for (let number = 0; number < 50; number += 1) {
      await b.bus.follow(`conversation:${number}`);
      a.tell(`conversation:${number}`, seq + number);
    }
    await until(() => b.seqs.filter((heard) => heard >= seq).length >= 50, 'all topics are heard');
    b.tell('all', seq);
    await a.hears(seq);
  }

  test('with a password', async () => {
    const { port } = await startRedis({ words: ['--requirepass', 'open sesame'] });
    await expectLinked(`redis://:open%20sesame@127.0.0.1:${port}`);
  });

  test('with a user of its own who may do no more than needed', async () => {
    const rights = [
      'on',
      '>secret',
      '~tertulia:*',
      '&tertulia:*',
      '+@pubsub',
      '+@scripting',
      '+@string',
      '+@connection',
    ];
    const redis = await startRedis();
    await redis.cli('ACL', 'SETUSER', 'tertulia', ...rights, '+pttl', '+expire', '+info');
    await expectLinked(`redis://tertulia:secret@127.0.0.1:${redis.port}`);
  });

  test('with a wrong password or none the node stays by itself and says why, without the password', async () => {
    const { port } = await startRedis({ words: ['--requirepass', 'secret'] });
    const wrong = startNode(`redis://:guessed-it@127.0.0.1:${port}`);
    const none = startNode(`redis://127.0.0.1:${port}`);
    const said = (node: TestNode) => node.logged.find((line) => line.includes('Redis is not there')) ?? '';
    await until(() => said(wrong) !== '' && said(none) !== '', 'both say why');
    expect(said(wrong)).toContain('WRONGPASS');
    expect(said(none)).toContain('NOAUTH');
    expect(wrong.logged.join('')).not.toContain('guessed-it');
    expect(wrong.bus.isUp).toBe(false);
  });

  test('with TLS, if its certificate is trusted', async () => {
    const files = ['--tls-cert-file', fixture('localhost.crt'), '--tls-key-file', fixture('localhost.key')];
    const words = [...files, '--tls-auth-clients', 'no', '--tls-ca-cert-file', fixture('localhost.crt')];
    const { tlsPort } = await startRedis({ words, tls: true });
    const url = `rediss://localhost:${tlsPort}`;
    const stranger = startNode(url);
    await until(() => stranger.logged.some((line) => line.includes('self-signed certificate')), 'it is not trusted');
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, readFileSync(fixture('localhost.crt'), 'utf8')]);
    try {
      await expectLinked(url);
      await closeWhileConnecting(tlsPort);
    } finally {
      setDefaultCACertificates(trusted);
    }
  });

  /** A connection that comes about after its node was closed is closed as well. */
  async function closeWhileConnecting(port: number): Promise<void> {
    const proxy = await TcpFaults.start(port);
    proxy.isBlackhole = true;
    const node = startNode(`rediss://localhost:${proxy.port}`);
    await until(() => proxy.connections === 2, 'both connections have begun');
    await node.bus.close();
    proxy.isBlackhole = false;
    await until(() => proxy.connections === 0, 'both connections are gone');
    await proxy.close();
  }

  test('named by sentinels: after a failover nodes meet at the new one', async () => {
    const main = await startRedis();
    const replica = await startRedis({ words: ['--replicaof', '127.0.0.1', String(main.port)] });
    const sentinel = await startRedis({ isSentinel: true });
    await sentinel.cli('SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(main.port), '1');
    await sentinel.cli('SENTINEL', 'SET', 'main', 'down-after-milliseconds', '1000');
    const unreachable = 1;
    const [a, b] = await expectLinked(`redis+sentinel://127.0.0.1:${unreachable},127.0.0.1:${sentinel.port}/main`);
    await expect.poll(() => sentinel.cli('SENTINEL', 'REPLICAS', 'main')).toContain(String(replica.port));
    await main.kill();
    await Promise.all([a.up(2), b.up(2)]);
    expect(await replica.cli('ROLE')).toMatch(/^master/);
    await hearEachOther(a, b, 100);
  });

  test('a cluster: each topic on a part of its own, and no part may be missing', async () => {
    const parts = await Promise.all([1, 2, 3].map(() => startRedis({ words: ['--cluster-enabled', 'yes'] })));
    await meet(parts);
    const [a, b] = await expectLinked(`redis+cluster://127.0.0.1:${parts[0]!.port},127.0.0.1:${parts[1]!.port}`);
    for (const part of parts) expect(await part.cli('PUBSUB', 'SHARDCHANNELS')).toContain('conversation:');
    for (const [time, fail] of [async () => parts[2]!.signal('SIGSTOP'), () => parts[2]!.kill()].entries()) {
      await fail();
      await Promise.all([a.down(), b.down()]);
      parts[2]!.signal('SIGCONT');
      if (time === 1) await parts[2]!.start();
      await Promise.all([a.up(2 + time), b.up(2 + time)]);
      await hearEachOther(a, b, 100 * (1 + time));
    }
    const reasons = a.logged.filter((line) => line.includes('Redis is not there'));
    expect(reasons).toEqual([expect.stringContaining('no answer'), expect.not.stringContaining('no answer')]);
  });

  /** Makes one cluster of them. */
  async function meet(parts: readonly RedisServer[]): Promise<void> {
    const share = Math.ceil(16_384 / parts.length);
    for (const [index, part] of parts.entries()) {
      const last = Math.min((index + 1) * share, 16_384) - 1;
      await part.cli('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last));
      await part.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      await part.cli('CLUSTER', 'MEET', '127.0.0.1', String(parts[0]!.port), String(parts[0]!.port + 10_000));
    }
    for (const part of parts) {
      await expect.poll(() => part.cli('CLUSTER', 'INFO'), { timeout: 20_000 }).toContain('cluster_state:ok');
      await expect.poll(() => part.cli('CLUSTER', 'SHARDS'), { timeout: 20_000 }).toMatch(/(?:master[^]*){3}/);
    }
  }
});
