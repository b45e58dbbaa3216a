import { startMongodb } from './mongodb-server.ts';

/** One server of MongoDB's protocol for all tests on it; `startServer` gives each server a database of its own there. */
export default async function startDatabases(): Promise<() => Promise<void>> {
  const server = await startMongodb();
  process.env['TEST_STORE_URL'] = server.url;
  return () => server.stop();
}
