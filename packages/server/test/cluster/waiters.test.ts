import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { startCluster, type Cluster } from '../support/start-cluster.ts';

describeWith('redis-server', 'waiting over REST on a node that does not answer', () => {
  let cluster: Cluster;
  beforeEach(async () => void (cluster = await startCluster(2, { settings: { ASSISTANT: 'external' } })));
  afterEach(() => cluster.close());

  test('all who wait there are told of an end that one of them found, with Redis and without', async () => {
    const [one, other] = cluster.nodes;
    const { token } = await one!.signUp('ann');
    for (const isLinked of [true, false]) {
      if (!isLinked) {
        await cluster.redis.kill();
        await other!.hearsRedis(false);
      }
      const json = { message: 'Anybody there?', client_msg_id: `linked-${isLinked}` };
      const { body } = await one!.call('POST', '/chat', { token, json });
      const waiting = [0, 1, 2].map(() => other!.call('POST', '/chat?wait=60', { token, json }));
      await expect.poll(() => other!.context.delivery.awaited.has(body.conversation_id)).toBe(true);
      await one!.call('POST', `/tasks/${body.task_id}/messages`, { token, json: { content: 'Here.' } });
      const found = await other!.call('POST', '/chat?wait=60', { token, json });
      for (const answer of [found, ...(await Promise.all(waiting))]) {
        expect(answer.body).toMatchObject({ task_status: 'completed', assistant_responses: [{ content: 'Here.' }] });
      }
    }
  });
});
