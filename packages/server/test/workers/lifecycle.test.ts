import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { SettingName } from '../../src/config.ts';
import { Program } from '../support/program.ts';
import { testDirectory } from '../support/test-directory.ts';
import { Workers, workerOf } from './workers.ts';

// Programs of several processes take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** Several workers for one test. */
async function start(count: number, settings: Partial<Record<SettingName, string>> = {}): Promise<Workers> {
  const server = await Workers.start(count, settings);
  onTestFinished(() => server.close());
  return server;
}

// `ended` resolves when nobody holds the program's output any more: neither itself nor any of its workers.

const slow = (ms: number) =>
  `slowly\nscript: ${JSON.stringify({ steps: [{ text: 'first ' }, { delay_ms: ms }, { text: 'last' }] })}`;

test('SIGTERM lets answers finish on all workers, tells their clients, and leaves nobody behind', async () => {
  const server = await start(2, { ASSISTANT: 'scripted' });
  const person = await server.signUp('alice');
  const clients = [
    ...(await server.connectToEach(person, { protocol: 1 })),
    ...(await server.connectToEach(person, { protocol: 1, transports: ['polling'] })),
  ];
  for (const client of clients) await client.ask('chat', { message: slow(1_000) });
  for (const client of clients) await client.next('response_delta');
  const stopped = server.stop();
  for (const client of clients) {
    const isEnd = ({ data }: { data: { message?: { role: string } } }) => data.message?.role === 'assistant';
    expect((await client.next('conversation_event', isEnd)).data.message.content).toBe('first last');
    await client.next('server_shutdown');
  }
  const { code, errors, output } = await stopped;
  expect([code, errors]).toEqual([0, '']);
  expect(output.split('\n').filter((line) => line.includes('"level":50'))).toEqual([]);
});

test('polls of those who are sent away are refused, whichever worker they come to: so that every client comes back', async () => {
  const server = await start(2, { ASSISTANT: 'scripted' });
  const [alice, bob] = [await server.signUp('alice'), await server.signUp('bob')];
  const sids = await server.sessionsOnEach();
  for (const sid of sids) {
    await server.ask('POST', sid, `40${JSON.stringify({ token: alice.token })}`);
    expect((await server.ask('GET', sid)).text).toMatch(/^40\{"sid":/); // it is a socket by now
  }
  const waiting = await server.connect(bob, { protocol: 1 });
  await waiting.ask('chat', { message: slow(4_000) }); // so long the workers stay
  const stopped = server.stop();
  const pollsOf = async (sid: string) => {
    let answer = await server.ask('GET', sid);
    while (answer.status === 200) answer = await server.ask('GET', sid);
    return [answer, await server.ask('GET', sid), await server.ask('GET', sid)];
  };
  for (const { status, text } of (await Promise.all(sids.map(pollsOf))).flat()) {
    expect([status, text]).toEqual([503, expect.stringContaining('"error":"shutting_down"')]);
  }
  expect((await stopped).code).toBe(0);
});

test('a signal that reaches every process, as from a terminal, stops each once; the second one ends all at once', async () => {
  const server = await start(2, { ASSISTANT: 'scripted' });
  const [client] = await server.connectToEach(await server.signUp('alice'), { protocol: 1 });
  await client!.ask('chat', { message: slow(60_000) });
  const pids = server.names.map((name) => server.pidOf(name));
  server.program.signal('SIGINT');
  for (const pid of pids) process.kill(pid, 'SIGINT');
  await server.program.line('stopping');
  server.program.signal('SIGINT');
  for (const pid of pids) process.kill(pid, 'SIGINT');
  expect(await server.program.ended).toMatchObject({ code: 130, errors: '' });
});

test('workers end with their primary', async () => {
  const server = await start(2);
  server.program.signal('SIGKILL');
  expect((await server.program.ended).signal).toBe('SIGKILL');
});

test('a worker that is killed is replaced; its clients come back, and its task is taken up at once', async () => {
  const server = await start(2, { ASSISTANT: 'scripted' });
  const person = await server.signUp('alice');
  const [first, second] = await server.connectToEach(person, { protocol: 1, reconnection: true });
  const { conversation_id } = await first!.ask('chat', { message: slow(300) });
  await second!.ask('join_conversation', { conversation_id, after_seq: 0 });
  const again = await first!.ask('chat', { message: slow(5_000), conversation_id });
  await second!.next('response_delta', ({ task_id }) => task_id === again.task_id);
  const killedAt = performance.now();
  const replaced = server.replace(workerOf(first!));
  const started = await second!.next('response_start', ({ attempt }) => attempt === 2);
  expect(started.task_id).toBe(again.task_id);
  expect(performance.now() - killedAt).toBeLessThan(15_000); // its lease would have stood so long
  await first!.next('connected');
  await replaced;
  const [onNew] = await server.connectToEach(person, { protocol: 1 });
  expect(await onNew!.ask('chat', { message: slow(1) })).toMatchObject({ ok: true });
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
});

test('workers that die as soon as they are started end it all with a sentence', async () => {
  const flag = join(testDirectory(), 'die');
  const assistant = join(testDirectory(), 'dying.mjs');
  writeFileSync(
    assistant,
    `import { existsSync } from 'node:fs';
     if (existsSync(${JSON.stringify(flag)})) process.exit(7);
     export default async function* dying() { yield 'x'; }`,
  );
  const server = await start(2, { ASSISTANT: assistant });
  writeFileSync(flag, '');
  process.kill(server.pidOf('here.w2'), 'SIGKILL');
  const { code, errors, output } = await server.program.ended;
  expect([code, errors]).toEqual([1, 'A worker ended while it started (exit code 7); the log says why.']);
  expect(output).toContain('a worker ends again and again as soon as it is started; ending');
});

test('what keeps workers from starting is said once: a busy port, a wrong setting', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const variables = { WORKERS: '2', PORT: String(port) };
  const busy = await Program.run('main', { directory: testDirectory(), variables });
  expect(busy).toEqual({
    code: 1,
    signal: null,
    output: '',
    errors: `Port ${port} on 127.0.0.1 is in use by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`,
  });
  const wrong = await Program.run('main', { directory: testDirectory(), variables: { WORKERS: 'many' } });
  expect(wrong.errors).toContain('WORKERS=many: must be auto, or a whole number from 1 to 128');
});

test('commands work beside it, and no further server does', async () => {
  const server = await start(2);
  const { directory } = server;
  const variables = { PORT: new URL(server.url).port };
  const words = ['--username', 'carl', '--email', 'carl@example.com', '--password-stdin'];
  const made = await Program.run('commands/create-user', { directory, words, input: 'correct horse 42\n' });
  expect(made).toMatchObject({ code: 0, errors: '' });
  const json = { username: 'carl', password: 'correct horse 42' };
  expect((await server.call('POST', '/auth/login', { json })).status).toBe(200);
  expect(await Program.run('commands/backup', { directory })).toMatchObject({ code: 0, errors: '' });
  const doctor = await Program.run('commands/doctor', { directory, variables });
  expect(doctor.output).toContain('one is running on this data folder');
  for (const WORKERS of ['1', '2']) {
    const further = await Program.run('main', { directory, variables: { WORKERS } });
    expect(further.errors).toMatch(/^Another server is using the data folder/);
  }
});
