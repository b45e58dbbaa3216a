import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config.ts';
import { explainFailure } from '../../failure.ts';
import { ok, problem, type Finding } from './finding.ts';

const check = 'port';
/** Who does not answer within this time is somebody else. */
const PATIENCE_MS = 2_000;

/** Whether the server can listen, or who does where it cannot. */
export async function checkPort({ HOST, PORT, DATA_DIR }: Config): Promise<Finding> {
  const server = createServer();
  try {
    server.listen(PORT, HOST);
    await once(server, 'listening');
    return ok(check, PORT === 0 ? `any free one on ${HOST}` : `${PORT} on ${HOST} is free`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return whoListens(HOST, PORT);
    return problem(check, explainFailure(error, DATA_DIR) ?? String(error), 'choose other values for HOST and PORT');
  } finally {
    server.close();
  }
}

async function whoListens(host: string, port: number): Promise<Finding> {
  const name = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  try {
    const answer = await fetch(`http://${name}:${port}/socket-info`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const info = (await answer.json()) as { name?: unknown; version?: unknown };
    if (info.name === 'Tertulia') return ok(check, `Tertulia ${String(info.version)} runs on ${name}:${port}`);
  } catch {
    // No HTTP, no JSON or no answer: whoever it is, it is not this product.
  }
  const advice = `stop that one, or choose another port: PORT=${port + 1}`;
  return problem(check, `another program listens on ${name}:${port}`, advice);
}
