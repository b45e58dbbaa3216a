import { expect, test } from 'vitest';
import { addressKey, createTryLimit } from '../../src/accounts/limits.ts';
import { limitersInMemory } from '../../src/rate-limiters.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['unknown', 'unknown'],
])('the address %s is limited as %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});

test('a limit counts each key by itself and says when the next try is', async () => {
  const limit = createTryLimit(limitersInMemory, 'tries', 2);
  await limit.take('one');
  await limit.take('one');
  await limit.take('other');
  const refusal = expect.objectContaining({
    code: 'rate_limited',
    details: { limit: '2 a minute', retry_after_ms: expect.any(Number) },
  });
  await expect(limit.take('one')).rejects.toEqual(refusal);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'a key named %s is a key like any other',
  async (key) => {
    const limit = createTryLimit(limitersInMemory, 'tries', 1);
    await limit.take(key);
    await expect(limit.take(key)).rejects.toMatchObject({ code: 'rate_limited' });
  },
);
