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
  const name = reachable(host);
  const version = await versionAt(host, port);
  if (version !== null) return ok(check, `Tertulia ${version} runs on ${name}:${port}`);
  const advice = `stop that one, or choose another port: PORT=${port + 1}`;
  return problem(check, `another program listens on ${name}:${port}`, advice);
}

/** The version of the Tertulia that answers there, or null where none does. */
export async function versionAt(host: string, port: number): Promise<string | null> {
  try {
    const address = `http://${reachable(host)}:${port}/socket-info`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const info = (await answer.json()) as { name?: unknown; version?: unknown };
    return info.name === 'Tertulia' ? String(info.version) : null;
  } catch {
    return null; // no HTTP, no JSON or no answer: whoever it is, it is not this product
  }
}

function reachable(host: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
}
