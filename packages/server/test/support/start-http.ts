import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { createAccounts, type Accounts } from '../../src/accounts/accounts.ts';
import { readConfig, type SettingName } from '../../src/config.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { createHttp } from '../../src/http/http.ts';
import { createMetrics } from '../../src/metrics.ts';
import { limitersInMemory } from '../../src/rate-limiters.ts';
import { createSocketLimits } from '../../src/socket/limits.ts';
import { DATABASE_FILE, SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';

/** The secret that test servers sign with, so that tests can forge. */
export const TEST_SECRET = 'a secret for tests with 0123456789 enough bytes';

/** What a request answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // What an answer holds is what each test says; typing it here would only repeat the schemas.
  readonly body: any; // oxlint-disable-line no-explicit-any
}

/** A server over real HTTP with a real store, and what it told its other rooms. */
export interface TestHttp {
  readonly url: string;
  readonly port: number;
  /** The data folder. */
  readonly directory: string;
  readonly accounts: Accounts;
  readonly store: SqliteStore;
  /** Login sessions whose sockets were to be closed, in order. */
  readonly revoked: string[];
  /** Everything that was logged, as text. */
  readonly logged: string[];
  /** Moves the clock of access tokens, in ms. */
  advance(ms: number): void;
  /** Runs SQL on the store's file, past the store. */
  sql(statement: string, ...values: (string | number)[]): void;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Makes an account and signs it in. */
  signUp(username: string, password?: string): Promise<{ access_token: string; refresh_token: string; id: string }>;
  /** Takes the database away from the running server. */
  closeStore(): Promise<void>;
  close(): Promise<void>;
}

/** A request's body, token and further headers. */
export interface CallOptions {
  readonly json?: unknown;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: NonNullable<RequestInit['body']>;
}

/** The password of accounts that tests sign up. */
export const PASSWORD = 'correct horse 42';

/** Starts a server on a free port. Limits are out of the way unless a test sets them. */
export async function startHttp(settings: Partial<Record<SettingName, string>> = {}): Promise<TestHttp> {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-http-'));
  const config = readConfig({ LOGINS_PER_ACCOUNT: '100000', LOGINS_PER_ADDRESS: '100000', ...settings });
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const store = await SqliteStore.open({ directory, exclusive: true, onFatal: (error) => log.fatal(error) });
  const revoked: string[] = [];
  let ahead = 0;
  const accounts = createAccounts({
    store: store.accounts,
    config,
    log,
    secret: TEST_SECRET,
    onRevoked: (ids) => void revoked.push(...ids),
    clock: () => Date.now() + ahead,
  });
  const parts: HttpParts = {
    config,
    log,
    accounts,
    limits: createSocketLimits(config, limitersInMemory),
    countSockets: () => 0,
    metrics: createMetrics(),
    state: { isReady: true },
    context: () => {
      throw new Error('there are no conversations in this test');
    },
  };
  const server = createHttpServer(createHttp(parts));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  let closed: Promise<void> | undefined;
  const closeStore = () => (closed ??= store.close());
  const call = (method: string, path: string, options: CallOptions = {}) => request(method, url + path, options);

  return {
    url,
    port,
    directory,
    accounts,
    store,
    revoked,
    logged,
    call,
    advance: (ms) => void (ahead += ms),
    sql(statement, ...values) {
      const db = new DatabaseSync(join(directory, DATABASE_FILE), { timeout: 5_000 });
      db.prepare(statement).run(...values);
      db.close();
    },
    async signUp(username, password = PASSWORD) {
      const { id } = await accounts.createUser({ username, email: `${username}@example.org`, password });
      const tokens = await accounts.logIn(username, password, { address: '127.0.0.1', user_agent: 'tests' });
      return { id, access_token: tokens.access_token, refresh_token: tokens.refresh_token };
    },
    closeStore,
    async close() {
      server.close();
      server.closeAllConnections();
      await closeStore();
      await rm(directory, { recursive: true });
    },
  };
}

async function request(method: string, url: string, { json, token, headers, body }: CallOptions): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(json !== undefined ? { body: JSON.stringify(json) } : body !== undefined ? { body } : {}),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== '';
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
