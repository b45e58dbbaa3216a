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
  const printed = { log: '', errors: '', code: undefined as number | null | undefined };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => void (printed.log += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void (printed.errors += text));
  child.on('exit', (code) => void (printed.code = code));
  onTestFinished(() => void child.kill());
  return { printed, type: (line: string) => child.stdin?.write(`${line}\n`) };
}

const patience = { timeout: 15_000 };

test('the terminal client opens a conversation and prints its answer as it is written, once', async () => {
  const end = Promise.withResolvers<void>();
  const assistant = createScripted([[{ text: 'Good ' }, { until: end.promise }, { text: 'day.' }], [{ text: 'Bye.' }]]);
  const server = await startServer({ assistant });
  onTestFinished(() => server.close());
  await server.signUp('alice');
  const { printed, type } = follow(server);
  type('Hello');
  await vi.waitFor(() => expect(printed.log).toBe('alice: Hello  #1\nscripted: Good '), patience);
  end.resolve();
  const exchange = 'alice: Hello  #1\nscripted: Good day.  #2\n';
  await vi.waitFor(() => expect(printed.log).toBe(exchange), patience);
  type('So long');
  const log = `${exchange}alice: So long  #3\nscripted: Bye.  #4\n`;
  await vi.waitFor(() => expect(printed.log).toBe(log), patience);
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
  await vi.waitFor(() => expect(printed.log).toMatch(/\nalice: Tell me  #252\n/), patience);
  end.resolve();
  await vi.waitFor(() => expect(printed.log).toContain(`\nscripted: ${started} the end  #253\n`), patience);
  const seqs = printed.log
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split('  #')[1]));
  expect(seqs).toEqual(Array.from({ length: 253 }, (_, index) => index + 1));
}, 60_000);

test('the terminal client goes on where it was after a restart, and sends what was typed meanwhile once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-follow-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const first = await startServer({ directory });
  await first.signUp('alice');
  const { printed, type } = follow(first);
  type('before');
  await vi.waitFor(() => expect(printed.log).toBe('alice: before  #1\necho: before  #2\n'), patience);
  const PORT = new URL(first.url).port;
  await first.close();
  type('meanwhile');
  const second = await startServer({ directory, settings: { PORT } });
  onTestFinished(() => second.close());
  const log = 'alice: before  #1\necho: before  #2\nalice: meanwhile  #3\necho: meanwhile  #4\n';
  await vi.waitFor(() => expect(printed.log).toBe(log), patience);
}, 60_000);

test('the terminal client says where an answer that was cut off is begun again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-follow-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const end = Promise.withResolvers<void>();
  onTestFinished(() => end.resolve());
  const cutOff = createScripted([[{ text: 'Half' }, { until: end.promise }]]);
  const first = await startServer({ directory, assistant: cutOff });
  await first.signUp('alice');
  const { printed, type } = follow(first);
  type('Hello');
  await vi.waitFor(() => expect(printed.log).toBe('alice: Hello  #1\nscripted: Half'), patience);
  const PORT = new URL(first.url).port;
  await first.close();
  const whole = createScripted([[{ text: 'Whole.' }]]);
  const second = await startServer({ directory, settings: { PORT }, assistant: whole });
  onTestFinished(() => second.close());
  const log = 'alice: Hello  #1\nscripted: Half\n(begun again)\nscripted: Whole.  #2\n';
  await vi.waitFor(() => expect(printed.log).toBe(log), patience);
}, 60_000);

test('the terminal client ends with the reason where it may not in', async () => {
  const server = await startServer();
  onTestFinished(() => server.close());
  await server.signUp('alice');
  const { printed } = follow(server, 'no-such-conversation');
  await vi.waitFor(() => expect(printed.code).toBe(1), patience);
  expect(printed.errors).toContain('There is no conversation with this id, or you are not a member.');
}, 30_000);
