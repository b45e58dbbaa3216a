import { expect } from 'vitest';
import { PASSWORD, startServer, type Person, type ServerOptions, type TestServer } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { RawSocket } from './raw-socket.ts';

/** What no client may ever be shown: where in our files something happened. */
const STACK_TRACE = /\bat [\w.<> ]*\(?(file:|node:|\/)|node_modules|\.[tj]s:\d+/;

/** A server in this process that is attacked while somebody else uses it. */
export interface Attacked extends TestServer {
  /** Signs somebody up who sends by hand what a client library would not. Closed at the end, and read for traces. */
  attacker(username: string): Promise<{ person: Person; raw: RawSocket }>;
  /** One more such socket of somebody. */
  attackAs(person: Person): Promise<RawSocket>;
  /** A connection without a login. */
  stranger(options?: { query?: string; headers?: Record<string, string> }): Promise<RawSocket>;
  /** To be called after each attack: somebody else is served as before, and nothing leaked. */
  expectUnharmed(): Promise<void>;
}

/** Starts the server; nobody answers its messages unless the test says who. */
export async function startAttacked(options: ServerOptions = {}): Promise<Attacked> {
  const server = await startServer({ ...options, settings: { ASSISTANT: 'none', ...options.settings } });
  const secrets = [PASSWORD];
  const raws: RawSocket[] = [];
  const signUp = async (username: string) => {
    const person = await server.signUp(username);
    secrets.push(person.token, person.refresh_token);
    return person;
  };
  const bystander: TestClient = await server.connect(await signUp('bystander'), {
    protocol: 1,
    transports: ['websocket'],
  });
  const { conversation_id } = await bystander.ask('chat', { message: 'before' });
  const keep = (raw: RawSocket) => {
    raws.push(raw);
    return raw;
  };
  return {
    ...server,
    signUp,
    async attacker(username) {
      const person = await signUp(username);
      return { person, raw: keep(await RawSocket.connect(server.url, person.token)) };
    },
    attackAs: async ({ token }) => keep(await RawSocket.connect(server.url, token)),
    stranger: async (connection) => keep(await RawSocket.open(server.url, connection)),
    async expectUnharmed() {
      expect(await bystander.ask('chat', { conversation_id, message: 'still here' })).toMatchObject({ ok: true });
      expect(server.fatal).toEqual([]);
      const log = server.logged.join('');
      for (const secret of [...secrets, ...raws.map(({ sid }) => sid)]) expect(log).not.toContain(secret);
      for (const raw of raws) expect(raw.received.join('\n')).not.toMatch(STACK_TRACE);
    },
    async close() {
      for (const raw of raws) raw.close();
      await server.close();
    },
  };
}
