import { startServer, type ServerOptions, type TestServer } from './start-server.ts';

/** Starts a server with settings of its own for one test, and closes it however the test ends. */
export async function withServer(options: ServerOptions, use: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await startServer(options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}
