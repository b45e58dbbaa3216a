import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import { createTestUser } from '../../src/commands/create-test-user.ts';
import { run } from '../commands/run-command.ts';
import { Program } from '../support/program.ts';
import { TestClient } from '../support/test-client.ts';
import { testDirectory } from '../support/test-directory.ts';

// Programs of their own take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** An assistant that answers, or fails where it is told to. */
const ASSISTANT = `export default async function* moody({ messages }) {
  yield 'ANSWERED-TEXT ';
  if (messages.at(-1).content.includes('fail')) throw new Error('the model is out of order');
  yield 'ANSWERED-END';
}`;

/** All that a session of a person or an attacker must not leave behind, and all that they were answered besides. */
class Session {
  readonly secrets = new Set<string>();
  readonly answers: string[] = [];
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  // What an answer holds is what each test says.
  // oxlint-disable-next-line no-explicit-any
  async call(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<any> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) this.answers.push(text);
    return text.startsWith('{') ? JSON.parse(text) : text;
  }

  /** Signs in; remembers the tokens as secrets. */
  async signIn(): Promise<{ access_token: string; refresh_token: string }> {
    this.secrets.add('testpass123');
    return this.keep(await this.call('POST', '/api/v1/auth/login', { username: 'testuser', password: 'testpass123' }));
  }

  keep<T extends { access_token: string; refresh_token: string }>(tokens: T): T {
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      this.secrets.add(token);
      this.secrets.add(token.split('.').at(-1) ?? token);
    }
    return tokens;
  }

  async connect(token: string, options: Parameters<typeof TestClient.options>[1]): Promise<TestClient> {
    const client = new TestClient(io(this.#url, TestClient.options(token, options)));
    await client.next('connected');
    const sid = client.socket.io.engine.id;
    this.secrets.add(sid.slice(sid.indexOf('.') + 1)); // before it stands the node's name, which is no secret
    this.secrets.add(client.socket.id ?? '');
    return client;
  }
}

async function chatOverSockets(session: Session, token: string): Promise<void> {
  const extended = await session.connect(token, { protocol: 1 });
  const polling = await session.connect(token, { transports: ['polling'] });
  const sent = await extended.ask('chat', { message: 'SAID-TEXT one', metadata: { note: 'NOTED-TEXT' } });
  await extended.next('conversation_event', ({ data }) => data.ends_task);
  await polling.next('conversation');
  await polling.ask('join_conversation', { conversation_id: sent.conversation_id });
  await extended.ask('chat', { message: 'SAID-TEXT fail', conversation_id: sent.conversation_id });
  await extended.next('conversation_event', ({ type }) => type === 'task_ended');
  await extended.ask('chat', { message: { $ne: 'SAID-TEXT' } });
  await extended.ask('SAID-TEXT as a name', 'SAID-TEXT');
  const refused = await extended.ask('auth_refresh', { token: `${token}x` });
  session.answers.push(JSON.stringify(refused));
  extended.close();
  polling.close();
}

async function failToConnect(session: Session, url: string, token: string): Promise<void> {
  const stranger = new TestClient(io(url, TestClient.options(`${token}y`, {})));
  session.answers.push(String(await stranger.next('connect_error')));
  await session.call('GET', `/socket.io/?EIO=4&transport=polling&token=${token}`);
  await session.call('GET', `/socket.io/?EIO=4&transport=polling&sid=${'S'.repeat(20)}`);
}

test('a whole session leaves no secret and no text in the log, the metrics or the errors', async () => {
  const directory = testDirectory();
  const assistant = join(directory, 'moody.mjs');
  writeFileSync(assistant, ASSISTANT);
  await run(createTestUser, [], { DATA_DIR: directory });
  const variables = { LOG_LEVEL: 'trace', DEBUG_SOCKETS: '1', ASSISTANT: assistant };
  const server = new Program('main', { directory, variables });
  const url = await server.listening();
  const session = new Session(url);

  session.secrets.add('wrong-PASSWORD-1');
  await session.call('POST', '/api/v1/auth/login', { username: 'testuser', password: 'wrong-PASSWORD-1' });
  await session.call('POST', '/api/v1/auth/login', { username: { $gt: 'wrong-PASSWORD-1' }, password: 7 });
  const first = await session.signIn();
  const { access_token } = session.keep(
    await session.call('POST', '/api/v1/auth/refresh', { refresh_token: first.refresh_token }),
  );
  await session.call('POST', '/api/v1/auth/refresh', { refresh_token: `${first.refresh_token}x` });
  const authorization = `Bearer ${access_token}`;
  await session.call('POST', '/api/v1/chat', { message: 'SAID-TEXT two' }, { authorization });
  await session.call('GET', '/api/v1/conversations/SAID-TEXT', undefined, { authorization });
  await session.call('GET', '/api/v1/auth/me', undefined, { authorization: `${authorization}z` });
  await chatOverSockets(session, access_token);
  await failToConnect(session, url, access_token);
  const metrics = (await session.call('GET', '/metrics')) as string;
  await session.call('POST', '/api/v1/auth/refresh', { refresh_token: first.refresh_token });
  const { output, errors } = await server.stop();

  expect(metrics).toContain('tertulia_events_total{event="chat",result="ok"}');
  expect(output.match(/"msg":"packet"/g)?.length).toBeGreaterThan(20);
  expect(output).toMatch(/"message":"the model is out of order"/);
  for (const [name, text] of Object.entries({ output, errors, metrics, answers: session.answers.join('\n') })) {
    for (const secret of [...session.secrets, 'SAID-TEXT', 'NOTED-TEXT', 'ANSWERED-TEXT']) {
      expect(text.includes(secret), `${secret} in ${name}`).toBe(false);
    }
  }
});
