import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { startTracing } from '../../src/tracing.ts';
import { run } from '../commands/run-command.ts';
import { Program } from '../support/program.ts';
import { TestClient } from '../support/test-client.ts';
import { testDirectory } from '../support/test-directory.ts';
import { startCollector, type Collector, type ReceivedSpan } from './collector.ts';

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** Starts a server that sends traces, has a conversation with it and stops it, which sends what is left. */
async function converse(
  variables: (collector: Collector) => Record<string, string>,
  talk: (client: TestClient) => Promise<void>,
): Promise<Collector & { log: string }> {
  const directory = testDirectory();
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  await run(createTestUser, [], { DATA_DIR: directory });
  const server = new Program('main', { directory, variables: variables(collector) });
  const url = await server.listening();
  const client = new TestClient(io(url, TestClient.options(await signIn(url), { protocol: 1 })));
  await client.next('connected');
  await talk(client);
  client.close();
  const { output } = await server.stop();
  return { ...collector, spans: collector.spans, text: collector.text, log: output };
}

async function signIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'testuser', password: 'testpass123' }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function say(client: TestClient, message: string, conversation_id: string | null = null) {
  return (await client.ask('chat', { message, conversation_id })) as { task_id: string; conversation_id: string };
}

/** Resolves when the answer is stored. */
function answered(client: TestClient, { task_id }: { task_id: string }): Promise<unknown> {
  return client.next('conversation_event', ({ data }) => data.ends_task?.id === task_id);
}

/** The names of a span and of those above it. */
function lineage(spans: readonly ReceivedSpan[], span: ReceivedSpan | undefined): string[] {
  if (!span) return [];
  return [
    span.name,
    ...lineage(
      spans,
      spans.find(({ spanId }) => spanId === span.parentSpanId),
    ),
  ];
}

test('a trace leads from the event to the commit, to the assistant and to the commit of its answer', async () => {
  const { spans, text } = await converse(
    ({ url }) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SERVICE_NAME: 'salon' }),
    async (client) => {
      await answered(client, await say(client, 'a text that nobody may read'));
    },
  );
  const commits = spans.filter(({ name }) => name === 'log append');
  expect(commits.map((span) => lineage(spans, span))).toEqual([
    ['log append', 'socket chat'],
    ['log append', 'task run', 'socket chat'],
  ]);
  expect(commits.map(({ attributes }) => attributes['event_type'])).toEqual([
    'conversation_created',
    'message_created',
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['salon']));
  expect(text).not.toContain('nobody may read');
});

test('an answer that waited for its turn belongs to the event that asked for it', async () => {
  const directory = testDirectory();
  const assistant = join(directory, 'slow.mjs');
  writeFileSync(
    assistant,
    'export default async function* slow() { await new Promise((done) => setTimeout(done, 200)); yield "ok"; }',
  );
  const { spans } = await converse(
    ({ url }) => ({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces`, ASSISTANT: assistant }),
    async (client) => {
      const first = await say(client, 'one');
      const second = await say(client, 'two', first.conversation_id);
      await answered(client, second);
    },
  );
  const chats = spans.filter(({ name }) => name === 'socket chat');
  const runs = spans.filter(({ name }) => name === 'task run');
  expect(chats).toHaveLength(2);
  expect(runs.map(({ parentSpanId }) => parentSpanId)).toEqual(chats.map(({ spanId }) => spanId));
  expect(runs.map(({ traceId }) => traceId)).toEqual(chats.map(({ traceId }) => traceId));
});

test.each([
  ['no variable', {}],
  ['OTEL_SDK_DISABLED', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' }],
  ['an exporter named none', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_EXPORTER: 'none' }],
])('%s: no traces', async (_name, variables) => {
  expect(await startTracing(variables, 'node', pino({ level: 'silent' }))).toBeNull();
});

test('a sampler that takes nothing is obeyed', async () => {
  const { spans } = await converse(
    ({ url }) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER: 'always_off' }),
    async (client) => {
      await answered(client, await say(client, 'hello'));
    },
  );
  expect(spans).toEqual([]);
});

test('a collector that is not there costs a line in the log and no message', async () => {
  const { log } = await converse(
    () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }),
    async (client) => {
      await answered(client, await say(client, 'hello'));
    },
  );
  expect(log).toMatch(/"level":40.*ECONNREFUSED.*traces: |"level":40.*no answer in time.*traces: /);
});
