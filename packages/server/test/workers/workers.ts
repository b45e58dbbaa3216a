import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { request, type Agent, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { io } from 'socket.io-client';
import type { SettingName } from '../../src/config.ts';
import { Program, type Ended } from '../support/program.ts';
import { PASSWORD, type Person } from '../support/start-server.ts';
import { TestClient, type ClientOptions, type Payload } from '../support/test-client.ts';

/** What tests that are not about limits run with. */
const WIDE: Partial<Record<SettingName, string>> = {
  CHAT_RATE: '100000',
  CHAT_BURST: '100000',
  EVENT_RATE: '100000',
  EVENT_BURST: '100000',
  LOGINS_PER_ACCOUNT: '100000',
  LOGINS_PER_ADDRESS: '100000',
  SOCKETS_PER_USER: '1000',
  TASKS_RUNNING: '1000',
  TASKS_QUEUED: '1000',
};

/** The worker that holds a transport session. */
const holderOf = (sid: string): string => sid.replace(/\.[^.]+$/, '');
export const workerOf = (client: TestClient): string => holderOf(client.socket.io.engine.id);

/** The real program with several workers. */
export class Workers {
  readonly program: Program;
  readonly url: string;
  readonly directory: string;
  readonly #clients: TestClient[] = [];

  private constructor(program: Program, url: string, directory: string) {
    this.program = program;
    this.url = url;
    this.directory = directory;
  }

  static async start(count: number, settings: Partial<Record<SettingName, string>> = {}): Promise<Workers> {
    const directory = await mkdtemp(join(tmpdir(), 'tertulia-workers-test-'));
    const named = { WORKERS: String(count), NODE_ID: 'here', LOG_LEVEL: 'debug', TMPDIR: directory };
    const program = new Program('main', { directory, variables: { ...WIDE, ...named, ...settings } });
    try {
      return new Workers(program, await program.listening(), directory);
    } catch (error) {
      program.signal('SIGKILL');
      throw error;
    }
  }

  /** The names of the workers. */
  get names(): string[] {
    return [...new Set(this.#told('a worker serves').map(({ worker }) => worker))].toSorted();
  }

  /** The process of the worker of this name, as it was told last. */
  pidOf(name: string): number {
    return this.#told('a worker serves').findLast(({ worker }) => worker === name)!.pid;
  }

  #told(message: string): { worker: string; pid: number }[] {
    const lines = this.program.output.split('\n').filter((line) => line.includes(`"msg":"${message}"`));
    return lines.map((line) => JSON.parse(line));
  }

  /** kill -9; resolves when the worker's successor serves. */
  async replace(name: string): Promise<void> {
    const known = new Set(this.#told('a worker serves').map(({ pid }) => pid));
    process.kill(this.pidOf(name), 'SIGKILL');
    await this.program.line(
      `"worker":"${name}"`,
      (line) => line.includes('serves') && !known.has(JSON.parse(line).pid),
    );
  }

  async signUp(username: string): Promise<Person> {
    const account = { username, email: `${username}@example.com`, password: PASSWORD };
    const { body } = await this.call('POST', '/auth/register', { json: account });
    const tokens = await this.call('POST', '/auth/login', { json: { username, password: PASSWORD } });
    const { access_token: token, refresh_token } = tokens.body;
    return { id: body.id, username, token, refresh_token };
  }

  async call(
    method: string,
    path: string,
    { token, json }: { token?: string; json?: unknown } = {},
  ): Promise<{ status: number; body: Payload }> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    const answer = await response.text();
    return { status: response.status, body: answer === '' ? null : JSON.parse(answer) };
  }

  /** A connected socket that has had its `connected`, on whichever worker. */
  async connect({ token }: Person, options: ClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(io(this.url, TestClient.options(token, options)));
    this.#clients.push(client);
    await client.next('connected');
    const { engine } = client.socket.io;
    if (!options.transports && engine.transport.name === 'polling') {
      await new Promise((resolve) => engine.once('upgrade', resolve));
    }
    return client;
  }

  /** One socket on each worker: the primary gives its connections out in turns. */
  async connectToEach(person: Person, options: ClientOptions = {}): Promise<TestClient[]> {
    const clients = new Map<string, TestClient>();
    while (clients.size < this.names.length) {
      const client = await this.connect(person, options);
      if (clients.has(workerOf(client))) client.close();
      else clients.set(workerOf(client), client);
    }
    return this.names.map((name) => clients.get(name)!);
  }

  /** A request on Engine.IO; without an agent on a connection of its own, which comes to the next worker in turn. */
  async ask(method: string, sid: string | null, body = '', agent: Agent | false = false) {
    const path = `/socket.io/?EIO=4&transport=polling${sid === null ? '' : `&sid=${encodeURIComponent(sid)}`}`;
    const asked = request(`${this.url}${path}`, { agent, method, headers: { origin: 'http://localhost:3000' } });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: answer.statusCode, text: await text(answer), headers: answer.headers };
  }

  /** Transport sessions, one on each worker. */
  async sessionsOnEach(): Promise<string[]> {
    const sids = new Map<string, string>();
    while (sids.size < this.names.length) {
      const { sid } = JSON.parse((await this.ask('GET', null)).text.slice(1));
      sids.set(holderOf(sid), sid);
    }
    return [...sids.values()];
  }

  stop(): Promise<Ended> {
    return this.program.stop();
  }

  /** Ends it, however it is; workers that are left end with it. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.program.signal('SIGKILL');
    await this.program.ended;
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
