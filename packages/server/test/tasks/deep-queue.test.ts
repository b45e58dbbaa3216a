import type { ConversationEvent } from '@tertulia/protocol';
import { afterEach, expect, test } from 'vitest';
import type { AssistantRequest } from '../../src/assistants/assistant.ts';
import { startServer, type TestServer } from '../support/start-server.ts';

const QUESTIONS = 120;

let server: TestServer;

afterEach(() => server.close());

test('each of many questions that wait in one conversation is answered, as the newest that its assistant sees', async () => {
  const first = Promise.withResolvers<void>();
  const asked: string[] = [];
  const assistant = {
    name: 'slow to begin',
    async *reply({ messages }: AssistantRequest) {
      await first.promise;
      asked.push(messages.at(-1)!.content);
      yield `${messages.length} seen`;
    },
  };
  server = await startServer({ assistant, settings: { TASKS_QUEUED: '1000', TASKS_RUNNING: '1000' } });
  const ann = await server.signUp('ann');
  const client = await server.connect(ann, { protocol: 1 });
  const { conversation_id } = await client.ask('chat', { message: 'question 0' });
  const questions = Array.from({ length: QUESTIONS }, (_, index) => `question ${index}`);
  for (const message of questions.slice(1)) await client.ask('chat', { message, conversation_id });
  first.resolve();
  for (let ended = 0; ended < QUESTIONS; ended += 1) {
    const isEnd = ({ type, data }: ConversationEvent) => type === 'task_ended' || 'ends_task' in data;
    expect(await client.next('conversation_event', isEnd)).toMatchObject({ type: 'message_created' });
  }
  expect(asked).toEqual(questions);
});
