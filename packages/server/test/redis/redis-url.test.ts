import { expect, test } from 'vitest';
import { isUnprotected, parseRedisUrl, printableRedis } from '../../src/redis/address.ts';

const host = (name: string, port: number) => ({ host: name, port });

test.each([
  ['redis://localhost', { kind: 'server', hosts: [host('localhost', 6379)], tls: false }],
  ['rediss://redis.example:6380/', { kind: 'server', hosts: [host('redis.example', 6380)], tls: true }],
  ['redis://[::1]:7000', { kind: 'server', hosts: [host('::1', 7000)], tls: false }],
  [
    'redis://tertulia:p%40ss%3Aword@10.0.0.1',
    { kind: 'server', hosts: [host('10.0.0.1', 6379)], tls: false, username: 'tertulia', password: 'p@ss:word' },
  ],
  ['redis://:secret@a', { kind: 'server', hosts: [host('a', 6379)], tls: false, password: 'secret' }],
  [
    'redis+sentinel://:secret@a,b:26380/main',
    { kind: 'sentinel', hosts: [host('a', 26_379), host('b', 26_380)], tls: false, password: 'secret', name: 'main' },
  ],
  ['rediss+cluster://a,b:7001', { kind: 'cluster', hosts: [host('a', 6379), host('b', 7001)], tls: true }],
])('%s is understood', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address);
});

test.each([
  ['', 'no URL'],
  ['localhost:6379', 'no scheme'],
  ['http://localhost', 'another scheme'],
  ['redis://', 'no host'],
  ['redis://a:0', 'no such port'],
  ['redis://a:65536', 'no such port'],
  ['redis://a,b', 'two servers that are no cluster'],
  ['redis://a/1', 'a database: pub/sub has none'],
  ['redis://a?x=1', 'options'],
  ['redis://:%@a', 'a broken escape'],
  ['redis://u:pass@word@a', 'a bare @ in the password, whose rest would be printed as the host'],
  ['redis+sentinel://:pass@a/word@b', 'the same before the name'],
  ['redis+sentinel://a', 'sentinels, and not what they watch'],
  ['redis+cluster://a/0', 'a database in a cluster, which has none'],
])('%s is refused: %s', (url) => {
  expect(parseRedisUrl(url)).toBeNull();
});

test.each([
  ['redis://u:secret@[::1]:7000', '[::1]:7000'],
  ['redis+cluster://:secret@a,b', 'cluster a:6379,b:6379'],
  ['redis+sentinel://:secret@a/main', 'main by sentinels a:26379'],
])('%s is printed without its secret', (url, printed) => {
  expect(printableRedis(parseRedisUrl(url)!)).toBe(printed);
});

test.each([
  ['redis://127.0.0.1', false],
  ['redis://localhost', false],
  ['redis://[::1]', false],
  ['redis://:secret@redis.example', false],
  ['redis://redis.example', true],
  ['redis://127.example.com', true],
  ['redis://user@10.0.0.1', true],
])('%s is open to the network: %s', (url, is) => {
  expect(isUnprotected(parseRedisUrl(url)!)).toBe(is);
});
