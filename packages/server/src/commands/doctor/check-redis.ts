import type { Config } from '../../config.ts';
import { isUnprotected, printableRedis, type RedisAddress } from '../../redis/address.ts';
import type { RedisLink } from '../../redis/link.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const check = 'redis';
const PATIENCE_MS = 3_000;
const CHANNEL = 'tertulia:doctor';

/** Whether Redis answers, and takes what nodes say to each other. Nothing is kept there. */
export async function checkRedis({ REDIS_URL: address }: Config): Promise<Finding> {
  if (!address)
    return ok(check, 'REDIS_URL is not set: this node is alone, or finds in the database what others write');
  const { connect, reasonOf } = await import('../../redis/connect.ts');
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const heard = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => heard.reject(new Error(`no answer within ${PATIENCE_MS / 1_000} s`)));
  heard.promise.catch(() => undefined); // `connect` may fail first
  let link: RedisLink | null = null;
  try {
    link = await connect(address, CHANNEL, { onMessage: () => heard.resolve(), onLost: heard.reject }, signal);
    await link.subscribe(link.echoes);
    for (const echo of link.echoes) await link.publish(echo, '');
    await heard.promise;
    await link.eval('return 1', { keys: [`${CHANNEL}:key`], arguments: [] });
    return judge(address, await link.version());
  } catch (error) {
    const advice = 'start Redis, or correct REDIS_URL; until then nodes read the database for what is new';
    return problem(check, `${printableRedis(address)}: ${reasonOf(error)}`, advice);
  } finally {
    link?.destroy();
  }
}

function judge(address: RedisAddress, version: string): Finding {
  const found = `Redis ${version} at ${printableRedis(address)}`;
  if (!isUnprotected(address)) return ok(check, found);
  const advice =
    'set requirepass or an ACL user, and put it into REDIS_URL; use rediss:// outside a network of your own';
  return warning(check, `${found} is open to whoever reaches it: REDIS_URL has no password`, advice);
}
