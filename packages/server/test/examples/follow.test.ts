import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { PASSWORD, startServer, type TestServer } from '../support/start-server.ts';
import { ROOT } from './run-program.ts';

/** Runs the example until the test ends; what it printed grows. */
function follow(server: TestServer, conversationId?: string) {
  const env = { TERTULIA_URL: server.url, TERTULIA_USERNAME: 'alice', TERTULIA_PASSWORD: PASSWORD };
  const words = ['examples/javascript/follow.mjs', ...(conversationId ? [conversationId] : [])];
  const child: ChildProcess = spawn(process.execPath, words, { cwd: ROOT, env: { ...process.env, ...env } });
  const printed = { log: '', streamed: '', code: undefined as number | null | undefined };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => void (printed.log += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void (printed.streamed += text));
  child.on('exit', (code) => void (printed.code = code));
  onTestFinished(() => void child.kill());
  return { printed, type: (line: string) => child.stdin?.write(`${line}\n`) };
}

const patience = { timeout: 15_000 };

test('the terminal client opens a conversation, streams its answer and prints the log', async () => {
  const assistant = createScripted([[{ text: 'Good ' }, { delay_ms: 50 }, { text: 'day.' }], [{ text: 'Bye.' }]]);
  const server = await startServer({ assistant });
  onTestFinished(() => server.close());
  await server.signUp('alice');
  const { printed, type } = follow(server);
  type('Hello');
  await vi.waitFor(() => expect(printed.log).toBe('1 alice: Hello\n2 scripted: Good day.\n'), patience);
  type('So long');
  await vi.waitFor(() => expect(printed.log).toMatch(/\n3 alice: So long\n4 scripted: Bye\.\n$/), patience);
  expect(printed.streamed).toBe('Good day.Bye.');
}, 30_000);

test('the terminal client reads a long log in pages and joins in the middle of an answer', async () => {
  const end = Promise.withResolvers<void>();
  const started = 'x'.repeat(1_500);
  const assistant = createScripted([[{ text: started }, { until: end.promise }, { text: ' the end' }]]);
  const server = await startServer({ assistant });
  onTestFinished(() => server.close());
  const alice = await server.signUp('alice');
  const created = await server.call('POST', '/conversations', { token: alice.token, json: { title: 'long' } });
  const path = `/conversations/${created.body.id}`;
  for (let count = 0; count < 250; count += 1) {
    await server.call('PUT', path, { token: alice.token, json: { title: `long ${count}` } });
  }
  const client = await server.connect(alice, { protocol: 1 });
  await client.ask('chat', { message: 'Tell me', conversation_id: created.body.id });
  await client.next('response_delta');
  const { printed } = follow(server, created.body.id);
  await vi.waitFor(() => expect(printed.log).toMatch(/\n252 alice: Tell me\n$/), patience);
  end.resolve();
  await vi.waitFor(() => expect(printed.log).toContain(`\n253 scripted: ${started} the end\n`), patience);
  const seqs = printed.log
    .trimEnd()
    .split('\n')
    .map((line) => Number.parseInt(line, 10));
  expect(seqs).toEqual(Array.from({ length: 253 }, (_, index) => index + 1));
  await vi.waitFor(() => expect(printed.streamed).toBe(`${started} the end`), patience);
}, 60_000);

test('the terminal client goes on where it was after a restart, and sends what was typed meanwhile once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-follow-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const first = await startServer({ directory });
  await first.signUp('alice');
  const { printed, type } = follow(first);
  type('before');
  await vi.waitFor(() => expect(printed.log).toBe('1 alice: before\n2 echo: before\n'), patience);
  const PORT = new URL(first.url).port;
  await first.close();
  type('meanwhile');
  const second = await startServer({ directory, settings: { PORT } });
  onTestFinished(() => second.close());
  const log = '1 alice: before\n2 echo: before\n3 alice: meanwhile\n4 echo: meanwhile\n';
  await vi.waitFor(() => expect(printed.log).toBe(log), patience);
}, 60_000);

test('the terminal client ends with the reason where it may not in', async () => {
  const server = await startServer();
  onTestFinished(() => server.close());
  await server.signUp('alice');
  const { printed } = follow(server, 'no-such-conversation');
  await vi.waitFor(() => expect(printed.code).toBe(1), patience);
  expect(printed.streamed).toContain('There is nothing here, or you have no access to it.');
}, 30_000);
