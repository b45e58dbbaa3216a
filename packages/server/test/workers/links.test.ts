import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { SettingName } from '../../src/config.ts';
import { describeWith } from '../support/describe-with.ts';
import { startMongodb, type MongodbServer } from '../support/mongodb-server.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Workers, workerOf } from './workers.ts';

let server: Workers | undefined;
afterEach(() => server?.close());

/** Two people on different workers talk; then one of the workers dies. */
async function talk(settings: Partial<Record<SettingName, string>>): Promise<void> {
  server = await Workers.start(2, settings);
  const person = await server.signUp('alice');
  const [first, second] = await server.connectToEach(person, { protocol: 1, reconnection: true });
  const { conversation_id, seq } = await first!.ask('chat', { message: 'hello' });
  await second!.ask('join_conversation', { conversation_id, after_seq: seq });
  const hears = async (message: string) => {
    await first!.ask('chat', { message, conversation_id });
    await second!.next('conversation_event', ({ data }) => data.message?.content === message);
    await second!.next('conversation_event', ({ data }) => data.message?.role === 'assistant');
  };
  await hears('from the other worker');
  await server.replace(workerOf(first!));
  await first!.next('connected');
  await hears('from its successor, or here');
  expect((await server.stop()).code).toBe(0);
}

describeWith('redis-server', 'workers that Redis links', () => {
  let redis: RedisServer;
  beforeAll(async () => void (redis = await RedisServer.start()));
  afterAll(() => redis?.stop());

  test('hear each other, on SQLite', () => talk({ REDIS_URL: redis.url }));
});

describeWith('ferretdb', 'workers on MongoDB', () => {
  let mongodb: MongodbServer;
  beforeAll(async () => void (mongodb = await startMongodb()));
  afterAll(() => mongodb?.stop());

  test('hear each other by their primary', () => talk({ MONGODB_URL: mongodb.newDatabase() }));
});
