import { expect, test } from 'vitest';
import { startServer } from '../support/start-server.ts';

test('each message leaves one line: whose, where, how long, how fast, and not what', async () => {
  const server = await startServer();
  const alice = await server.signUp('alice');
  const client = await server.connect(alice);
  const sent = await client.ask('chat', { message: 'sixteen letters!', client_msg_id: 'one' });
  await client.ask('chat', {});
  await server.call('POST', '/chat', { token: alice.token, json: { message: 'over REST' } });

  const lines = server.logged.filter((line) => line.includes('Chat message processed')).map((line) => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({
    level: 30,
    user_id: alice.id,
    task_id: sent.task_id,
    conversation_id: sent.conversation_id,
    message_length: 16,
    processing_time_ms: expect.any(Number),
  });
  expect(server.logged.join()).not.toMatch(/sixteen|over REST/);
  await server.close();
});
