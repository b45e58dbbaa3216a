import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pino } from 'pino';
import { io } from 'socket.io-client';
import { createApp, type App, type AppParts } from '../../src/app.ts';
import type { Assistant } from '../../src/assistants/assistant.ts';
import { readConfig, type Config, type SettingName } from '../../src/config.ts';
import type { Context } from '../../src/events/context.ts';
import { dropDatabase, withDatabase } from './mongodb-server.ts';
import { TestHub } from './test-hub.ts';
import { TestClient, type ClientOptions, type Payload } from './test-client.ts';

/** The password of every account that tests make. */
export const PASSWORD = 'correct horse 42';

/** What a test may choose for its server. */
export interface ServerOptions {
  readonly settings?: Partial<Record<SettingName, string>>;
  /** In place of the one that the settings name. */
  readonly assistant?: Assistant;
  readonly bus?: AppParts['bus'];
  /** The test looks into one node, so it is to have no other. */
  readonly nodes?: 1;
  /** Other servers use the same data folder. */
  readonly sharesFolder?: boolean;
  /** A data folder that outlives the server, for tests that restart it. */
  readonly directory?: string;
}

/** Somebody with an account, signed in. */
export interface Person {
  readonly id: string;
  readonly username: string;
  readonly token: string;
  readonly refresh_token: string;
}

/** A server in this process, on a free port, with a database of its own. */
export interface TestServer {
  readonly url: string;
  readonly context: Context;
  readonly directory: string;
  /** Everything that was logged, a line each. */
  readonly logged: string[];
  /** What would have ended the process. */
  readonly fatal: Error[];
  signUp(username: string): Promise<Person>;
  /** Signs an account in that is there already. */
  logIn(username: string): Promise<Person>;
  /** A connected socket that has had its `connected`. The base layer where `protocol` is absent. */
  connect(person: Person, options?: ClientOptions): Promise<TestClient>;
  /** JSON over REST, from `/api/v1` on; answers status and body. */
  call(
    method: string,
    path: string,
    options?: { token?: string; json?: unknown },
  ): Promise<{ status: number; body: Payload }>;
  /** Stops the server as a signal does; sockets see it. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server. The assistant is `echo` and limits are out of the way unless the test says otherwise. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'tertulia-')));
  const config = readConfig({
    PORT: '0',
    DATA_DIR: directory,
    ASSISTANT: 'echo',
    CHAT_RATE: '100000',
    CHAT_BURST: '100000',
    EVENT_RATE: '100000',
    EVENT_BURST: '100000',
    LOGINS_PER_ACCOUNT: '100000',
    LOGINS_PER_ADDRESS: '100000',
    MONGODB_URL: databaseFor(directory),
    ...(nodeCount() > 1 && { REDIS_URL: process.env['TEST_REDIS_URL'] }),
    ...options.settings,
  });
  const logged: string[] = [];
  const fatal: Error[] = [];
  const parts: AppParts = {
    log: pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) }),
    onFatal: (error) => void fatal.push(error),
    ...(options.assistant && { assistant: options.assistant }),
    ...(options.bus && { bus: options.bus }),
    ...(options.sharesFolder && { sharesFolder: true }),
  };
  const nodes = (options.bus ?? options.nodes) ? [await createApp(config, parts)] : await createNodes(config, parts);
  const urls = (await Promise.all(nodes.map((node) => node.listen()))).map(({ url }) => url);
  const { context } = nodes[0] as App;
  let turn = 0;
  const next = () => urls[(turn += 1) % urls.length] as string;
  const clients: TestClient[] = [];
  let stopped: Promise<unknown> | null = null;
  const stop = async () => void (await (stopped ??= Promise.all(nodes.map((node) => node.close()))));
  return {
    url: urls[0] as string,
    directory,
    logged,
    fatal,
    context,
    signUp: (username) => signUp(context, username),
    logIn: (username) => logIn(context, username),
    async connect(person, clientOptions = {}) {
      const client = new TestClient(io(next(), TestClient.options(person.token, clientOptions)));
      clients.push(client);
      await client.next('connected');
      return client;
    },
    call: (method, path, request = {}) => call(method, `${next()}/api/v1${path}`, request),
    stop,
    async close() {
      for (const client of clients) client.close();
      await stop();
      if (options.directory) return;
      await rm(directory, { recursive: true, force: true });
      if (config.MONGODB_URL) await dropDatabase(config.MONGODB_URL);
    },
  };
}

/** Where tests run on MongoDB: the database that belongs to a data folder, also when a second server opens that. */
function databaseFor(directory: string): string | undefined {
  const url = process.env['TEST_STORE'] === 'mongodb' ? process.env['TEST_STORE_URL'] : undefined;
  return url && withDatabase(url, basename(directory).replaceAll(/[^A-Za-z0-9]/g, '_'));
}

const nodeCount = () => Number(process.env['TEST_NODES'] ?? 1);

/** One node, or as many on one database as TEST_NODES says: a test's sockets and requests go to them in turn. */
async function createNodes(config: Config, parts: AppParts): Promise<App[]> {
  const count = nodeCount();
  if (count === 1) return [await createApp(config, parts)];
  const hub = new TestHub();
  const nodes: App[] = [];
  for (let number = 1; number <= count; number += 1) {
    const own = { ...config, NODE_ID: `${config.NODE_ID.slice(0, 28)}-${number}` };
    const bus = config.REDIS_URL ? {} : { bus: hub.connect() };
    nodes.push(await createApp(own, { ...parts, ...bus, sharesFolder: true }));
  }
  return nodes;
}

async function signUp(context: Context, username: string): Promise<Person> {
  await context.accounts.createUser({ username, email: `${username}@example.com`, password: PASSWORD });
  return logIn(context, username);
}

async function logIn({ accounts }: Context, username: string): Promise<Person> {
  const tokens = await accounts.logIn(username, PASSWORD, { address: '127.0.0.1', user_agent: 'tests' });
  const { user } = await accounts.authenticate(tokens.access_token);
  return { id: user.id, username, token: tokens.access_token, refresh_token: tokens.refresh_token };
}

async function call(method: string, url: string, { token, json }: { token?: string; json?: unknown }) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}
