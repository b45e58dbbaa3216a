import type { Person, TestServer } from './start-server.ts';

/** Asks REST as somebody: `ask(alice, 'POST', '/chat', { message: 'hello' })`. */
export function asker(server: () => TestServer) {
  return (person: Person, method: string, path: string, json?: unknown) =>
    server().call(method, path, { token: person.token, ...(json !== undefined && { json }) });
}
